"""Exports: whatever reads them gets what is stored, and no more than two batches are ever held."""

import csv
import json
import stat
import weakref
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from detectors.findings import Finding, Place
from detectors.registry import FEATURE_NAMES, FeatureVector, find_feature
from detectors.rule_book import ADVERSARIAL_PICTURE, SKIN_SHARE_LOW
from detectors.verdict import Verdict
from store.engine.database import Database
from store.exports import export
from store.exports.export import (
    Batch,
    ExportError,
    batches,
    export_to,
    parse_format,
    window_of,
)
from store.exports.export_columns import COLUMNS, Window
from store.exports.export_file import export_to_file, schema_path
from store.exports.export_formats import Format, escape_formula
from store.requests.records import Stage

MEASURED = {"width": 640.0, "grey_entropy": 0.1 + 0.2, "spectral_slope": -2.25, "total_ms": 1e-7}
Add = Callable[..., int]


@pytest.fixture
def window(now: datetime) -> Window:
    return window_of(now, now + timedelta(hours=1))


@pytest.fixture
def three(add: Add, now: datetime) -> None:
    """A parsed request with findings, a refused one and one outside of the window."""
    add(
        request_id="one",
        received_at=now + timedelta(microseconds=1),
        client="key:acme",
        verdict=Verdict.FLAG,
        reasons=("adversarial_picture", "skin_share_too_low"),
        content_sha256="ab" * 32,
        media_type="image/png",
        segmenter="cd" * 32,
        labels=("hair", 'söcks, "both"'),
        features=FeatureVector.of(MEASURED),
        findings=(
            Finding(ADVERSARIAL_PICTURE, {"tamper_score": 1.5}, (Place(1, 2, 3, 4, "face"),)),
            Finding(SKIN_SHARE_LOW, {"skin_share": 0.01}),
        ),
    )
    add(request_id="early", received_at=now - timedelta(microseconds=1))
    add(
        request_id="two",
        received_at=now + timedelta(minutes=59),
        client="=cmd|'/c calc'!A1",
        stage=Stage.GATE,
        verdict=Verdict.REFUSE,
        status=415,
    )
    add(request_id="late", received_at=now + timedelta(hours=1))


def _exported(database: Database, window: Window, form: Format, folder: Path) -> Path:
    path = folder / f"out.{form}"
    assert export_to_file(database, window, form, path) == 2
    return path


def _read(path: Path, form: Format) -> pd.DataFrame:
    """As somebody with pandas reads it, lists and JSON made alike."""
    if form is Format.PARQUET:
        frame = pd.read_parquet(path)
    elif form is Format.CSV:
        frame = pd.read_csv(path)
    else:
        frame = pd.read_json(path, lines=True, dtype=False, precise_float=True)
    frame["received_at"] = pd.to_datetime(frame["received_at"])
    for name in ("reasons", "labels", "findings"):
        frame[name] = [json.loads(v) if isinstance(v, str) else list(v) for v in frame[name]]
    return frame


@pytest.mark.parametrize("form", Format)
@pytest.mark.usefixtures("three")
def test_pandas_reads_what_is_stored(
    database: Database, window: Window, now: datetime, form: Format, tmp_path: Path
) -> None:
    frame = _read(_exported(database, window, form, tmp_path), form)
    assert list(frame.columns) == [column.name for column in COLUMNS]
    assert list(frame["request_id"]) == ["one", "two"]
    assert [each.to_pydatetime() for each in frame["received_at"]] == [
        now + timedelta(microseconds=1),
        now + timedelta(minutes=59),
    ]
    assert list(frame["status"]) == [200, 415]
    assert list(frame["verdict"]) == ["flag", "refuse"]
    assert frame["content_sha256"][0] == "ab" * 32
    assert pd.isna(frame["content_sha256"][1])
    assert frame["reasons"][0] == ["adversarial_picture", "skin_share_too_low"]
    assert frame["labels"][0] == ["hair", 'söcks, "both"']
    assert (frame["reasons"][1], frame["labels"][1], frame["findings"][1]) == ([], [], [])
    first, second = frame["findings"][0]
    assert (first["rule"], first["evidence"]) == ("adversarial_picture", {"tamper_score": 1.5})
    assert first["places"][0]["part"] == "face"
    assert (second["rule"], second["places"]) == ("skin_share_too_low", None)
    features = frame[list(FEATURE_NAMES)].astype(np.float64)
    assert features.loc[0].dropna().to_dict() == MEASURED
    assert features.loc[1].isna().all()


@pytest.mark.usefixtures("three")
def test_parquet_carries_units_and_meanings(
    database: Database, window: Window, tmp_path: Path
) -> None:
    schema = pq.read_schema(_exported(database, window, Format.PARQUET, tmp_path))
    about = json.loads(schema.metadata[b"maskwatch"])
    assert about["since"] == window.since.isoformat()
    for name in FEATURE_NAMES:
        feature = find_feature(name)
        metadata = schema.field(name).metadata
        assert metadata[b"unit"].decode() == feature.unit
        assert metadata[b"meaning"].decode() == feature.meaning
    assert [each["name"] for each in about["columns"]] == schema.names
    assert not schema_path(tmp_path / "out.parquet").exists()


@pytest.mark.parametrize("form", [Format.CSV, Format.JSONL])
@pytest.mark.usefixtures("three")
def test_other_formats_have_them_in_a_file_beside(
    database: Database, window: Window, form: Format, tmp_path: Path
) -> None:
    path = _exported(database, window, form, tmp_path)
    about = json.loads(schema_path(path).read_text(encoding="utf-8"))
    described = {each["name"]: each for each in about["columns"]}
    assert (about["rows"], list(described)) == (2, [column.name for column in COLUMNS])
    assert described["grey_entropy"]["unit"] == "nats"
    assert described["received_at"]["kind"] == "time"
    assert sorted(each.name for each in tmp_path.glob("out*")) == [
        path.name,
        schema_path(path).name,
    ]


@pytest.mark.usefixtures("three")
def test_no_cell_is_a_formula_and_numbers_stay_numbers(
    database: Database, window: Window, tmp_path: Path
) -> None:
    path = _exported(database, window, Format.CSV, tmp_path)
    with path.open(encoding="utf-8", newline="") as handle:
        first, second = csv.DictReader(handle)
    assert second["client"] == "'=cmd|'/c calc'!A1"
    assert first["spectral_slope"] == "-2.25"
    for text in ("=1", "+1", "-1", "@a", "\tb", "\r=1", "\n=1", "＝1", "'a"):
        assert escape_formula(text) == f"'{text}"
        assert escape_formula(text)[1:] == text
    for text in ("", "key:acme", "ip:::1", "a=1"):
        assert escape_formula(text) == text


@pytest.mark.parametrize("form", Format)
def test_an_export_of_nothing_has_columns_and_no_rows(
    database: Database, window: Window, form: Format, tmp_path: Path
) -> None:
    path = tmp_path / "out"
    assert export_to_file(database, window, form, path) == 0
    if form is Format.JSONL:
        assert path.read_bytes() == b""
    else:
        read: Callable[[Path], pd.DataFrame] = (
            pd.read_parquet if form is Format.PARQUET else pd.read_csv
        )
        assert (len(read(path)), len(read(path).columns)) == (0, len(COLUMNS))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_every_request_is_in_it_once_whatever_the_size_of_a_batch(
    database: Database,
    add: Add,
    window: Window,
    size: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "_BATCH", size)
    # The order of keys is not the order of arrival: what was slow or spooled came later.
    for minute in (5, 1, 59, 30, 2, 2, 7):
        add(received_at=window.since + timedelta(minutes=minute))
    found = [row[0] for batch in batches(database, window) for row in batch.rows]
    assert len(found) == len(set(found)) == 7


@pytest.mark.parametrize("form", Format)
def test_no_more_than_two_batches_are_held_however_many_there_are(
    database: Database,
    add: Add,
    window: Window,
    form: Format,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "_BATCH", 2)
    for number in range(20):
        add(received_at=window.since, request_id=f"r{number}", features=FeatureVector.of(MEASURED))
    made: list[weakref.ref[Batch]] = []
    held: list[int] = []
    make = export._batch

    def counted(*given: Any) -> Batch:
        batch = make(*given)
        made.append(weakref.ref(batch))
        held.append(sum(each() is not None for each in made))
        return batch

    monkeypatch.setattr(export, "_batch", counted)
    assert export_to(database, window, form, BytesIO()) == 20
    assert len(held) == 11
    assert max(held) <= 2


def test_no_transaction_is_open_while_rows_are_written(
    database: Database, add: Add, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retention would wait for one, and a row that it removes meanwhile is not in the export."""
    monkeypatch.setattr(export, "_BATCH", 1)
    for number in range(3):
        add(received_at=window.since, request_id=f"r{number}")
    found = []
    for batch in batches(database, window):
        found += [row[0] for row in batch.rows]
        assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        with database.write() as session:
            session.connection().exec_driver_sql("DELETE FROM requests WHERE request_id = 'r1'")
    assert found == ["r0", "r2"]


def test_a_file_is_not_overwritten_without_being_told_to(
    database: Database, window: Window, tmp_path: Path
) -> None:
    path = tmp_path / "out.csv"
    path.write_text("mine")
    with pytest.raises(ExportError, match=r"out\.csv exists already: .* --force"):
        export_to_file(database, window, Format.CSV, path)
    assert path.read_text() == "mine"
    export_to_file(database, window, Format.CSV, path, force=True)
    assert path.read_text().startswith("request_id,")
    path.unlink()
    with pytest.raises(ExportError, match=r"out\.csv\.schema\.json exists already"):
        export_to_file(database, window, Format.CSV, path)


def test_an_export_names_clients_so_only_its_owner_reads_it(
    database: Database, window: Window, tmp_path: Path
) -> None:
    path = tmp_path / "out.csv"
    export_to_file(database, window, Format.CSV, path)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, schema_path(path))] == [0o600] * 2


@pytest.mark.parametrize("form", Format)
def test_an_export_that_breaks_off_leaves_nothing_and_keeps_what_was_there(
    database: Database,
    add: Add,
    window: Window,
    form: Format,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    path = folder / "out"
    path.write_text("the last one")
    monkeypatch.setattr(export, "_BATCH", 1)
    for number in range(2):
        add(received_at=window.since, request_id=f"r{number}")
    make = export._batch

    def full(*given: Any) -> Batch:
        batch = make(*given)
        if batch.rows and batch.rows[0][0] == "r1":
            raise OSError(28, "No space left on device")
        return batch

    monkeypatch.setattr(export, "_batch", full)
    with pytest.raises(ExportError, match=r"cannot be written to .*: No space left on device\."):
        export_to_file(database, window, form, path, force=True)
    assert [each.name for each in folder.iterdir()] == ["out"]
    assert path.read_text() == "the last one"


def test_what_cannot_be_written_is_a_sentence(
    database: Database, window: Window, tmp_path: Path
) -> None:
    for path, sentence in (
        (tmp_path, "is a folder: name a file in it"),
        (tmp_path / "none" / "out.csv", "does not exist: make it first"),
        (Path("/proc/out.csv"), "cannot be written to /proc/out.csv: "),
    ):
        with pytest.raises(ExportError, match=sentence):
            export_to_file(database, window, Format.CSV, path)


def test_unknown_formats_and_empty_windows_are_sentences(now: datetime) -> None:
    assert parse_format(" CSV ") is Format.CSV
    with pytest.raises(ExportError, match="no format 'xlsx': the formats are parquet, csv, jsonl"):
        parse_format("xlsx")
    with pytest.raises(ExportError, match="--since has to be before --until"):
        window_of(now, now)

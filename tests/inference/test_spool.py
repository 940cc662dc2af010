"""The spool: records wait in order, come back once, and a torn line costs only itself."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.findings import Finding, Place
from detectors.rule_book import ADVERSARIAL_PICTURE
from detectors.verdict import Verdict
from inference.spool import Spool
from store.database import StoreUnavailable
from store.records import RequestRecord, Stage

START = datetime(2026, 3, 1, tzinfo=UTC)


def _record(number: int) -> RequestRecord:
    return RequestRecord(
        request_id=f"{number:036}",
        received_at=START + timedelta(seconds=number),
        client="ip:192.0.2.1",
        route="api",
        stage=Stage.GATE,
        verdict=Verdict.REFUSE,
        status=422,
        reasons=("truncated",),
    )


def _replayed(spool: Spool) -> list[int]:
    taken: list[RequestRecord] = []
    count = spool.replay(taken.extend)
    assert count == len(taken)
    return [int(record.request_id) for record in taken]


def _file(var_dir: Path) -> Path:
    return var_dir / "spool" / "requests.jsonl"


def test_records_come_back_once_and_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in range(5):
        spool.append(_record(number))
    assert not spool.is_empty()
    assert _replayed(spool) == [0, 1, 2, 3, 4]
    assert spool.is_empty()
    assert _replayed(spool) == []


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    spool, taken = Spool(tmp_path), list[RequestRecord]()
    spool.append(_record(7))
    spool.replay(taken.extend)
    assert taken == [_record(7)]


def test_findings_keep_their_places_in_the_spool(tmp_path: Path) -> None:
    spool, taken = Spool(tmp_path), list[RequestRecord]()
    places = (Place(3, 4, 30, 40, "face"), Place(0, 0, 9, 9))
    finding = Finding(ADVERSARIAL_PICTURE, {"tamper_score": 1.5}, places)
    spool.append(replace(_record(7), findings=(finding,)))
    spool.replay(taken.extend)
    assert taken[0].findings == (finding,)


def test_waiting_records_survive_a_restart(tmp_path: Path) -> None:
    Spool(tmp_path).append(_record(1))
    restarted = Spool(tmp_path)
    restarted.append(_record(2))
    assert _replayed(restarted) == [1, 2]


def test_a_new_folder_has_an_empty_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "new")
    assert spool.is_empty()
    assert _replayed(spool) == []


def test_while_the_database_is_away_nothing_is_forgotten(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(_record(1))

    def away(_records: Sequence[RequestRecord]) -> None:
        raise StoreUnavailable("The database is away.")

    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            spool.replay(away)
    spool.append(_record(2))
    assert _replayed(spool) == [1, 2]


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_damaged_line_costs_only_itself(tmp_path: Path, broken: int) -> None:
    spool = Spool(tmp_path)
    for number in range(3):
        spool.append(_record(number))
    lines = _file(tmp_path).read_bytes().splitlines(keepends=True)
    lines[broken] = lines[broken].replace(b"truncated", b"truncatee")
    _file(tmp_path).write_bytes(b"".join(lines))
    assert _replayed(spool) == [number for number in range(3) if number != broken]
    assert spool.is_empty()


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(1, 400), more=st.binary(max_size=60))
def test_wherever_a_power_loss_tears_the_file_whole_records_survive(
    cut: int, more: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    spool = Spool(folder)
    spool.append(_record(1))
    whole = _file(folder).stat().st_size
    spool.append(_record(2))
    kept = _file(folder).read_bytes()[: whole + min(cut, whole - 12)]
    _file(folder).write_bytes(kept + more)
    spool.append(_record(3))
    assert _replayed(spool) == [1, 3]


def test_writers_that_share_the_file_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: Spool(tmp_path).append(_record(number)), range(40)))
    assert sorted(_replayed(Spool(tmp_path))) == list(range(40))


def test_while_another_process_replays_its_records_are_left_to_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(_record(1))
    with FileLock(f"{_file(tmp_path)}.lock"):
        assert _replayed(spool) == []
        assert not spool.is_empty()
    assert _replayed(spool) == [1]


def test_other_users_cannot_look_into_the_spool(tmp_path: Path) -> None:
    Spool(tmp_path).append(_record(1))
    assert _file(tmp_path).parent.stat().st_mode & 0o077 == 0


def test_a_line_of_another_version_is_set_aside_and_holds_nothing_up(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(_record(1))
    body = _record(2).to_json().replace('"findings": []', '"findings": [["of_tomorrow", {}]]')
    foreign = b"%08x %s" % (crc32(body.encode()), body.encode())
    with _file(tmp_path).open("ab") as file:
        file.write(foreign + b"\n")
    spool.append(_record(3))
    assert _replayed(spool) == [1, 3]
    assert spool.is_empty()
    assert (tmp_path / "spool" / "foreign.jsonl").read_bytes() == foreign + b"\n"

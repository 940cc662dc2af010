"""``maskwatch explain``: what led to a verdict, from the record or by looking again."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from detectors.baseline.attack_evidence import EVIDENCE
from tests.maskwatch.conftest import Run, copy_installation, parse_once, save_printed


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a picture with a printed square, which was parsed."""
    folder = tmp_path_factory.mktemp("parsed")
    parse_once(folder, save_printed(folder))
    return folder


@pytest.fixture
def printed(installation: Path, tmp_path: Path) -> Path:
    """The picture beside its record, for each test its own."""
    copy_installation(installation, tmp_path)
    return tmp_path / "printed.png"


def test_a_file_gets_every_look_and_leaves_no_record(
    maskwatch: Run, tmp_path: Path, printed: Path
) -> None:
    before = _ids(tmp_path)
    explanation = _explain(maskwatch, str(printed))
    assert (explanation["subject"], explanation["verdict"]) == (str(printed), "flag")
    assert explanation["phase"] == "in force: its findings flag"
    rules = [fired["rule"] for fired in explanation["findings"]]
    assert "adversarial_picture" in rules
    scoring = explanation["scoring"]
    assert scoring["score"] >= scoring["line"]
    assert 0 <= scoring["clean_share"] <= 0.005
    excesses = [each["excess"] for each in scoring["excesses"]]
    assert excesses == sorted(excesses, reverse=True)
    assert {each["evidence"] for each in scoring["excesses"]} == {
        each.name for each in EVIDENCE if not each.is_optional
    }
    assert _ids(tmp_path) == before
    assert not list((tmp_path / "var" / "spool").glob("*.json"))


def test_the_same_file_is_explained_in_the_same_way(maskwatch: Run, printed: Path) -> None:
    assert _explain(maskwatch, str(printed)) == _explain(maskwatch, str(printed))


def test_a_request_is_explained_from_its_record(
    maskwatch: Run, tmp_path: Path, printed: Path
) -> None:
    (request_id,) = _ids(tmp_path)
    by_file = _explain(maskwatch, str(printed))
    _name_source(tmp_path, by_file["source"], "reference model")
    explanation = _explain(maskwatch, request_id)
    assert (explanation["subject"], explanation["verdict"]) == (request_id, "flag")
    assert {each["rule"] for each in explanation["findings"]} == {
        each["rule"] for each in by_file["findings"]
    }
    assert explanation["phase"] == by_file["phase"]
    assert explanation["scoring"]["line"] == by_file["scoring"]["line"]
    assert (by_file["source_name"], explanation["source_name"]) == (None, "reference model")
    said = maskwatch("explain", request_id).out
    assert said.startswith(f"{request_id}: flag [")
    assert f"source reference model ({explanation['source'][:12]}), in force" in said
    assert "--picture FILE" in said


def test_the_looks_of_a_request_are_taken_again_at_its_own_file_only(
    maskwatch: Run, tmp_path: Path, printed: Path, look: Path
) -> None:
    (request_id,) = _ids(tmp_path)
    again = _explain(maskwatch, request_id, "--picture", str(printed))
    assert again == _explain(maskwatch, str(printed))
    said = maskwatch("explain", request_id, "--picture", str(look))
    assert said.code == 1
    assert "SHA-256 is another one" in said.err


def test_what_is_neither_file_nor_request_is_named(maskwatch: Run, printed: Path) -> None:
    said = maskwatch("explain", f"{printed}.gone")
    assert (said.code, said.out) == (1, "")
    assert "neither a file nor a request" in said.err


def test_without_a_store_nothing_is_made(maskwatch: Run, tmp_path: Path, look: Path) -> None:
    said = maskwatch("explain", str(look))
    assert said.code == 1
    assert "There is no database" in said.err
    assert not (tmp_path / "var").exists()


def test_a_refused_file_says_why(maskwatch: Run, tmp_path: Path, printed: Path) -> None:
    cut = tmp_path / "cut.png"
    cut.write_bytes(printed.read_bytes()[:2_000])
    explanation = _explain(maskwatch, str(cut))
    assert (explanation["verdict"], explanation["reasons"]) == ("refuse", ["truncated"])
    assert explanation["scoring"] is None


def _explain(maskwatch: Run, *words: str) -> dict[str, Any]:
    said = maskwatch("explain", *words, "--json")
    assert said.code == 0, said.err
    explanation: dict[str, Any] = json.loads(said.out)
    return explanation


def _name_source(tmp_path: Path, digest: str, name: str) -> None:
    with closing(sqlite3.connect(tmp_path / "var" / "maskwatch.db")) as connection, connection:
        connection.execute("INSERT INTO source_names VALUES (?, ?)", (digest, name))


def _ids(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "var" / "maskwatch.db")) as connection:
        rows = connection.execute("SELECT request_id FROM requests ORDER BY id").fetchall()
    return [str(request_id) for (request_id,) in rows]

"""``maskwatch audit``: whether the chain holds, by exit code and in words."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

from tests.maskwatch.conftest import Run, Said


@pytest.fixture
def three_keys(maskwatch: Run, tmp_path: Path) -> Path:
    """A database with three changes on record."""
    for name in ("one", "two", "three"):
        assert maskwatch("keys", "add", name).code == 0
    return tmp_path / "var" / "maskwatch.db"


def _head(said: Said) -> str:
    found = re.search(r"[0-9a-f]{64}", said.out)
    assert found is not None
    return found[0]


def _tamper(file: Path, *statements: str) -> None:
    """Change rows and leave no other trace: the triggers are put back."""
    connection = sqlite3.connect(file)
    asked = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
    triggers = connection.execute(asked).fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in (*statements, *(sql for _, sql in triggers)):
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_an_empty_chain_holds(maskwatch: Run) -> None:
    assert maskwatch("db", "upgrade").code == 0
    said = maskwatch("audit", "verify")
    assert (said.code, said.out, said.err) == (0, "The audit chain is empty.\n", "")


@pytest.mark.usefixtures("three_keys")
def test_a_chain_that_holds_gives_its_length_and_its_head(maskwatch: Run) -> None:
    said = maskwatch("audit", "verify")
    assert said.code == 0
    assert re.fullmatch(r"The audit chain holds: 3 rows\. Last hash: [0-9a-f]{64}\n", said.out)
    head = _head(said)
    assert maskwatch("audit", "verify", "--expect", head.upper()).code == 0
    maskwatch("keys", "revoke", "one")
    assert maskwatch("audit", "verify", "--expect", head).code == 0


def test_every_fault_is_a_line_and_the_exit_code_says_so(maskwatch: Run, three_keys: Path) -> None:
    maskwatch("keys", "add", "four")
    change = "UPDATE audit SET subject = 'key other' WHERE sequence = 1"
    _tamper(three_keys, change, "DELETE FROM audit WHERE sequence = 3")
    said = maskwatch("audit", "verify")
    assert said.code == 1
    first, second, last = said.out.splitlines()
    assert first == "Row 1 was changed: its contents do not have its hash."
    assert second == "Row 3 is missing."
    assert last.startswith("The audit chain does not hold: 2 faults in 3 rows. Last hash: ")
    listed = maskwatch("audit", "list").out
    assert listed.count("CHANGED") == 1


def test_a_chain_without_its_triggers_does_not_hold(maskwatch: Run, three_keys: Path) -> None:
    connection = sqlite3.connect(three_keys)
    connection.execute("DROP TRIGGER audit_no_delete")
    connection.close()
    said = maskwatch("audit", "verify")
    assert said.code == 1
    assert "The database was changed: the trigger audit_no_delete is missing." in said.out


def test_a_missing_end_is_seen_by_a_head_that_was_kept(maskwatch: Run, three_keys: Path) -> None:
    head = _head(maskwatch("audit", "verify"))
    _tamper(three_keys, "DELETE FROM audit WHERE sequence = 3")
    assert maskwatch("audit", "verify").code == 0
    said = maskwatch("audit", "verify", "--expect", head)
    assert said.code == 1
    assert said.out.startswith(f"No row has the hash {head}: rows were removed from the end")


def test_a_missing_end_is_seen_by_anchors(
    maskwatch: Run, three_keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchors = tmp_path / "anchors"
    anchors.touch()
    monkeypatch.setenv("MASKWATCH_AUDIT_ANCHOR_FILE", str(anchors))
    assert maskwatch("jobs", "run", "anchor_audit").out == "Row 3 of the audit is anchored.\n"
    said = maskwatch("audit", "verify")
    assert said.code == 0
    assert f"Every anchored row is there: 1 anchors of {anchors}." in said.out
    _tamper(three_keys, "DELETE FROM audit WHERE sequence = 3")
    assert (
        "Row 3 of the audit was anchored and is gone"
        in maskwatch("jobs", "run", "anchor_audit").err
    )
    monkeypatch.delenv("MASKWATCH_AUDIT_ANCHOR_FILE")
    assert maskwatch("audit", "verify").code == 0
    log = tmp_path / "syslog"
    log.write_text(f"Mar  2 12:00:00 host other: x\nMar  2 maskwatch: {anchors.read_text()}")
    for file in (anchors, log):
        said = maskwatch("audit", "verify", "--anchor", str(file))
        assert said.code == 1
        assert "Row 3 was anchored and is gone: the chain was cut off before it." in said.out
    said = maskwatch("audit", "verify", "--anchor", str(tmp_path / "none"))
    assert (said.code, said.err.count("\n")) == (1, 1)


@pytest.mark.usefixtures("three_keys")
def test_entries_are_a_table_or_json(maskwatch: Run) -> None:
    maskwatch("keys", "revoke", "two")
    heading, *lines = maskwatch(
        "audit", "list", "--since", "1h", "--actor", "cli:"
    ).out.splitlines()
    assert heading.split() == [
        "row",
        "time",
        "(UTC)",
        "actor",
        "action",
        "subject",
        "and",
        "details",
    ]
    assert [line.split()[0] for line in lines] == ["1", "2", "3", "4"]
    assert re.search(r"cli:\S+ +key_revoked +key two$", lines[3])
    found = maskwatch("audit", "list", "--json", "--action", "key_revoked").out.splitlines()
    [entry] = [json.loads(line) for line in found]
    assert (entry["sequence"], entry["subject"], entry["fits"]) == (4, "key two", True)
    assert maskwatch("audit", "list", "--actor", "analyst:", "--json").out == ""


def test_what_goes_wrong_is_one_sentence(maskwatch: Run) -> None:
    for words, sentence in (
        (("list", "--since", "yesterday"), "The time 'yesterday' cannot be read: write a date"),
        (("list", "--since", "999999d"), "The time '999999d' cannot be read"),
        (("verify", "--expect", "abc"), "Give --expect a hash that"),
    ):
        said = maskwatch("audit", *words)
        assert said.code == 1
        assert said.err.startswith(f"maskwatch: {sentence}")
        assert said.err.count("\n") == 1

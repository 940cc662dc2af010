"""What the database refuses, and what tampering with it shows."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from store.audit.hash_chain import GENESIS, ChainCheck
from store.engine.database import Database
from store.pages.audit_views import AuditFilter, audit_page, verify
from tests.store.audit.trails import fill, list_faults, read_entries

_NO_TRIGGERS = {
    "sqlite": [f"DROP TRIGGER audit_no_{what}" for what in ("update", "delete", "replace")],
    "postgresql": [f"DROP TRIGGER audit_no_{what} ON audit" for what in ("change", "truncate")],
}


def _tamper(database: Database, *statements: str) -> None:
    """Somebody with the database's own rights takes the triggers away first."""
    with database.write() as session:
        for statement in (*_NO_TRIGGERS[database.dialect], *statements):
            session.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'analyst:nobody' WHERE sequence = 2",
        "DELETE FROM audit WHERE sequence = 2",
        "DELETE FROM audit",
    ],
)
def test_the_database_itself_refuses_to_change_the_table(
    database: Database, now: datetime, statement: str
) -> None:
    fill(database, 3, now)
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text(statement))
    assert len(read_entries(database)) == 3


def test_there_is_no_way_around_the_triggers(database: Database, now: datetime) -> None:
    fill(database, 3, now)
    around = {
        "sqlite": "INSERT OR REPLACE INTO audit SELECT 2, at, 'x', action, subject, details, "
        "previous_hash, 'y' FROM audit WHERE sequence = 2",
        "postgresql": "TRUNCATE audit",
    }
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text(around[database.dialect]))
    assert list_faults(database) == []


@pytest.mark.parametrize(
    ("statements", "sentences"),
    [
        (
            ["UPDATE audit SET actor = 'analyst:eve' WHERE sequence = 3"],
            ["Row 3 was changed: its contents do not have its hash."],
        ),
        (
            ["UPDATE audit SET details = '{\"number\": 3}' WHERE sequence = 3"],
            ["Row 3 was changed: its contents do not have its hash."],
        ),
        (["DELETE FROM audit WHERE sequence = 3"], ["Row 3 is missing."]),
        (["DELETE FROM audit WHERE sequence < 4"], ["Rows 1 to 3 are missing."]),
        (
            [
                "UPDATE audit SET sequence = 99 WHERE sequence = 2",
                "UPDATE audit SET sequence = 2 WHERE sequence = 4",
                "UPDATE audit SET sequence = 4 WHERE sequence = 99",
            ],
            [
                "Row 2 is out of its place: it was written as row 4.",
                "Row 4 is out of its place: it was written as row 2.",
            ],
        ),
    ],
)
def test_tampering_is_named(
    database: Database, now: datetime, statements: list[str], sentences: list[str]
) -> None:
    fill(database, 6, now)
    _tamper(database, *statements)
    assert list_faults(database) == sentences


def test_a_page_shows_rows_that_were_changed(database: Database, now: datetime) -> None:
    fill(database, 3, now)
    _tamper(database, "UPDATE audit SET at = 'noon', details = '[' WHERE sequence = 2")
    with database.read() as session:
        page = audit_page(session, AuditFilter(), 10)
    assert [entry.fits for entry in page.entries] == [True, False, True]
    assert (page.entries[1].at, page.entries[1].details) == (None, {})


def test_an_empty_chain_is_sound(database: Database) -> None:
    check = ChainCheck()
    assert list(verify(database, check)) == []
    assert (check.rows, check.head, check.is_head_met) == (0, GENESIS, True)


def test_a_long_chain_is_read_in_batches(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, 9, now)
    for size in (1, 3, 4, 9, 10):
        monkeypatch.setattr("store.pages.audit_views._BATCH", size)
        check = ChainCheck()
        assert list(verify(database, check)) == []
        assert check.rows == 9

"""Rows that go to the driver directly fail as those that go through SQLAlchemy."""

from collections.abc import Iterator
from typing import cast

import pytest
from sqlalchemy import Table, func, select, text
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from store.bulk import insert_rows
from store.database import Database, StoreUnavailable
from store.request_tables import EvidenceRow
from store.settings import StoreSettings

EVIDENCE = cast(Table, EvidenceRow.__table__)
COLUMNS = ("request_pk", "kind", "sha256", "media_type")
ROW = (1, "picture", "0" * 64, "image/png")


@pytest.fixture
def on_postgresql(postgres_settings: StoreSettings) -> Iterator[Database]:
    opened = Database.open(postgres_settings)
    yield opened
    opened.close()


def test_rows_are_there_when_the_transaction_is(database: Database) -> None:
    with database.write() as session:
        insert_rows(session, EVIDENCE, COLUMNS, [ROW, (2, *ROW[1:])])
    with database.write() as session:
        insert_rows(session, EVIDENCE, COLUMNS, [(3, *ROW[1:])])
        session.rollback()
    with database.read() as session:
        assert session.scalars(select(EvidenceRow.request_pk).order_by("request_pk")).all() == [
            1,
            2,
        ]


def test_no_rows_are_no_statement(database: Database) -> None:
    with database.write() as session:
        insert_rows(session, EVIDENCE, ("no such column",), [])


def test_a_value_that_the_database_refuses_is_its_error(on_postgresql: Database) -> None:
    with pytest.raises(DataError), on_postgresql.write() as session:
        insert_rows(session, EVIDENCE, COLUMNS, [(1, "far too long for a kind", *ROW[2:])])
    with on_postgresql.write() as session:
        insert_rows(session, EVIDENCE, COLUMNS, [ROW])


def _insert_after_a_cut(session: Session, database: Database) -> None:
    pid = session.scalar(text("SELECT pg_backend_pid()"))
    with database.write() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    insert_rows(session, EVIDENCE, COLUMNS, [ROW])


def test_a_server_that_goes_away_is_unavailable(on_postgresql: Database) -> None:
    with pytest.raises(StoreUnavailable), on_postgresql.write() as session:
        _insert_after_a_cut(session, on_postgresql)
    with on_postgresql.read() as session:
        assert session.scalar(select(func.count()).select_from(EvidenceRow)) == 0

"""Rows that go to the driver directly fail as those that go through SQLAlchemy."""

from collections.abc import Iterator
from math import nan
from typing import cast

import pytest
from sqlalchemy import Table, func, select, text
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from store.engine.bulk.insert import insert_all
from store.engine.bulk.rows import Row, Rows, Vectors
from store.engine.database import Database, StoreUnavailable
from store.requests.record_rows import FEATURE_COLUMNS
from store.settings import StoreSettings
from store.tables.request_tables import EvidenceRow, features_table

EVIDENCE = cast(Table, EvidenceRow.__table__)
COLUMNS = ("request_pk", "kind", "sha256", "media_type")
ROW = (1, "picture", "0" * 64, "image/png")


def _evidence(*rows: Row) -> list[Rows]:
    return [Rows(EVIDENCE, COLUMNS, rows)]


@pytest.fixture
def on_postgresql(postgres_settings: StoreSettings) -> Iterator[Database]:
    opened = Database.open(postgres_settings)
    yield opened
    opened.close()


def test_rows_are_there_when_the_transaction_is(database: Database) -> None:
    with database.write() as session:
        insert_all(session, _evidence(ROW, (2, *ROW[1:])))
    with database.write() as session:
        insert_all(session, _evidence((3, *ROW[1:])))
        session.rollback()
    with database.read() as session:
        assert session.scalars(select(EvidenceRow.request_pk).order_by("request_pk")).all() == [
            1,
            2,
        ]


def test_no_rows_are_no_statement(database: Database) -> None:
    with database.write() as session:
        insert_all(session, [Rows(EVIDENCE, ("no such column",), [])])
        insert_all(session, [Vectors(features_table, ("no such column",), [])])


def test_vectors_come_back_as_they_were(database: Database) -> None:
    width = len(FEATURE_COLUMNS) - 1
    edges = [0.0, -1.5, 5e-324, 1.7976931348623157e308, 1 / 3]
    measured = (edges * width)[:width]
    none, some = [nan] * width, [nan, *measured[1:-1], nan]
    rows = [(1, measured), (2**62, none), (3, some)]
    with database.write() as session:
        insert_all(session, [Vectors(features_table, FEATURE_COLUMNS, rows)])
    with database.read() as session:
        stored = session.execute(select(features_table).order_by("request_pk")).all()
    assert [tuple(row) for row in stored] == [
        (1, *measured),
        (3, None, *measured[1:-1], None),
        (2**62, *([None] * width)),
    ]


def test_a_value_that_the_database_refuses_is_its_error(on_postgresql: Database) -> None:
    with pytest.raises(DataError), on_postgresql.write() as session:
        insert_all(session, _evidence((1, "far too long for a kind", *ROW[2:])))
    with on_postgresql.write() as session:
        insert_all(session, _evidence(ROW))


def _insert_after_a_cut(session: Session, database: Database) -> None:
    pid = session.scalar(text("SELECT pg_backend_pid()"))
    with database.write() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    insert_all(session, _evidence(ROW))


def test_a_server_that_goes_away_is_unavailable(on_postgresql: Database) -> None:
    with pytest.raises(StoreUnavailable), on_postgresql.write() as session:
        _insert_after_a_cut(session, on_postgresql)
    with on_postgresql.read() as session:
        assert session.scalar(select(func.count()).select_from(EvidenceRow)) == 0

"""PostgreSQL behind PgBouncer in transaction mode: nothing may live in a session."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import text

from store.engine.database import Database, StoreMisconfigured
from store.engine.poolers import Pooling, check_search_path, find_pooling
from store.engine.reader_locks import Reader, lock_for_pruning, lock_for_reading
from store.engine.schema.versions import current_revision, downgrade, upgrade
from store.engine.start import open_database
from store.requests.record_store import add_record
from store.settings import StoreSettings
from tests.makers import make_record
from tests.poolers import pgbouncer, pooled, socket_folder, with_query

_behind_pgbouncer = pytest.mark.parametrize("store_settings", ["pgbouncer"], indirect=True)
# The driver would prepare a statement that a connection has run so often, and committed.
_PREPARED_AFTER = 5


@pytest.fixture
def other(store_settings: StoreSettings) -> Iterator[Database]:
    """What another process on the same database would have."""
    opened = Database.open(store_settings)
    yield opened
    opened.close()


@_behind_pgbouncer
def test_statements_of_two_clients_do_not_get_mixed_up(database: Database, other: Database) -> None:
    for client, said in ((database, "one"), (other, "two"), (database, "three")):
        for _ in range(_PREPARED_AFTER + 2):
            with client.write() as session:
                assert session.scalar(text(f"SELECT '{said}'")) == said


@_behind_pgbouncer
def test_records_are_kept(database: Database, other: Database) -> None:
    for client in (database, other, database):
        for _ in range(_PREPARED_AFTER + 2):
            with client.write() as session:
                assert add_record(session, make_record())
    with other.read() as session:
        assert session.scalar(text("SELECT count(*) FROM requests")) == 3 * (_PREPARED_AFTER + 2)


@_behind_pgbouncer
def test_migrations_go_back_and_forward(database: Database) -> None:
    head = current_revision(database)
    downgrade(database, "base")
    upgrade(database)
    assert current_revision(database) == head


@_behind_pgbouncer
def test_a_turn_is_not_left_behind_in_a_connection_of_the_pooler(
    database: Database, other: Database
) -> None:
    with ExitStack() as turn:
        turn.enter_context(lock_for_reading(database, Reader.SCAN))
        with other.read() as session:
            # Whichever connection the pooler gave to the reader is now taken.
            session.scalar(text("SELECT 1"))
            turn.close()
    with lock_for_pruning(other):
        pass


@pytest.mark.parametrize(
    ("store_settings", "pooling"),
    [("postgresql", Pooling.NONE), ("pgbouncer", Pooling.TRANSACTIONS)],
    indirect=["store_settings"],
)
def test_a_pooler_and_its_mode_are_recognised(database: Database, pooling: Pooling) -> None:
    assert find_pooling(database) is pooling


def test_a_pooler_that_keeps_sessions_is_recognised(
    postgres_settings: StoreSettings, postgres_server: Any
) -> None:
    with pgbouncer(socket_folder(postgres_server), mode="session") as folder:
        database = Database.open(pooled(postgres_settings, folder))
        assert find_pooling(database) is Pooling.SESSIONS
        database.close()


def test_a_pooler_that_drops_the_schema_is_refused_at_the_start(
    postgres_settings: StoreSettings, postgres_server: Any
) -> None:
    wanted = {"options": "-csearch_path=second"}
    direct = Database.open(postgres_settings)
    with direct.write() as session:
        session.execute(text("CREATE SCHEMA second"))
    direct.close()
    with pgbouncer(socket_folder(postgres_server), ignored="options") as folder:
        settings = pooled(postgres_settings, folder, **wanted)
        with pytest.raises(StoreMisconfigured, match="ALTER ROLE … SET search_path = second"):
            open_database(settings)
    direct = Database.open(with_query(postgres_settings, **wanted))
    check_search_path(direct)
    direct.close()

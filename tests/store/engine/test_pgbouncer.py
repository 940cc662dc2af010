"""PostgreSQL behind PgBouncer in transaction mode: nothing may live in a session."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import text

from store.engine.database import Database
from store.engine.reader_locks import Reader, lock_for_pruning, lock_for_reading
from store.engine.schema import current_revision, downgrade, upgrade
from store.settings import StoreSettings

pytestmark = pytest.mark.parametrize("store_settings", ["pgbouncer"], indirect=True)
# The driver would prepare a statement that a connection has run so often, and committed.
_PREPARED_AFTER = 5


@pytest.fixture
def other(store_settings: StoreSettings) -> Iterator[Database]:
    """What another process on the same database would have."""
    opened = Database.open(store_settings)
    yield opened
    opened.close()


def test_statements_of_two_clients_do_not_get_mixed_up(database: Database, other: Database) -> None:
    for client, said in ((database, "one"), (other, "two"), (database, "three")):
        for _ in range(_PREPARED_AFTER + 2):
            with client.write() as session:
                assert session.scalar(text(f"SELECT '{said}'")) == said


def test_migrations_go_back_and_forward(database: Database) -> None:
    head = current_revision(database)
    downgrade(database, "base")
    upgrade(database)
    assert current_revision(database) == head


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

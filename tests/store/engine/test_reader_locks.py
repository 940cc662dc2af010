"""Long readings and what deletes keep out of each other's way."""

from threading import Event, Thread

import pytest
from sqlalchemy import text

from store.engine.database import Database, StoreUnavailable
from store.engine.reader_locks import BeingRead, Reader, lock_for_pruning, lock_for_reading
from tests.waiting import wait_for

pytestmark = pytest.mark.parametrize(
    "store_settings", ["sqlite", "postgresql", "pgbouncer"], indirect=True
)


@pytest.mark.parametrize("reader", Reader)
def test_nothing_is_deleted_while_somebody_reads(database: Database, reader: Reader) -> None:
    sentence = f"(?i)^{reader.title} is reading the records"
    with (
        lock_for_reading(database, reader),
        pytest.raises(BeingRead, match=sentence),
        lock_for_pruning(database),
    ):
        pytest.fail("it must not be alone")
    with lock_for_pruning(database):
        pass


def test_readers_share(database: Database) -> None:
    with lock_for_reading(database, Reader.SCAN), lock_for_reading(database, Reader.SCAN):
        with lock_for_reading(database, Reader.EXPORT):
            pass
        with pytest.raises(BeingRead, match="A scan"), lock_for_pruning(database):
            pytest.fail("it must not be alone")


def test_two_that_delete_take_turns(database: Database) -> None:
    with lock_for_pruning(database), pytest.raises(BeingRead), lock_for_pruning(database):
        pytest.fail("it must not be alone")


def test_a_failed_attempt_leaves_no_turn_taken(database: Database) -> None:
    with (
        lock_for_reading(database, Reader.BACKUP),
        pytest.raises(BeingRead),
        lock_for_pruning(database),
    ):
        pytest.fail("it must not be alone")
    with lock_for_reading(database, Reader.SCAN):
        pass


def test_a_reader_waits_for_the_batch_that_is_being_deleted(database: Database) -> None:
    began, done = Event(), Event()

    def read() -> None:
        began.set()
        with lock_for_reading(database, Reader.SCAN):
            done.set()

    thread = Thread(target=read)
    with lock_for_pruning(database):
        thread.start()
        began.wait(60)
        assert not done.is_set()
    wait_for(done.is_set)
    thread.join()


def test_patience_finds_the_moment_in_which_nobody_reads(database: Database) -> None:
    began, may_end = Event(), Event()

    def read() -> None:
        with lock_for_reading(database, Reader.EXPORT):
            began.set()
            may_end.wait(60)

    thread = Thread(target=read)
    thread.start()
    assert began.wait(60)
    with pytest.raises(BeingRead), lock_for_pruning(database, patience_seconds=0.1):
        pytest.fail("it must not be alone")
    may_end.set()
    with lock_for_pruning(database, patience_seconds=60):
        pass
    thread.join()


def test_a_turn_ends_with_a_reader_that_failed(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), lock_for_reading(database, Reader.SCAN):
        raise ZeroDivisionError
    with lock_for_pruning(database):
        pass


def test_a_turn_does_not_keep_the_database_from_cleaning_up(database: Database) -> None:
    if database.dialect == "sqlite":
        pytest.skip("on SQLite it is a lock of a file")
    holding_back = text(
        "SELECT count(backend_xmin) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with lock_for_reading(database, Reader.SCAN), database.read() as session:
        assert session.scalar(holding_back) == 0


def test_whoever_lost_its_turn_is_told(database: Database) -> None:
    if database.dialect == "sqlite":
        pytest.skip("a lock of a file lasts as long as its process")
    end_others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    lost = pytest.raises(StoreUnavailable)
    with lost, lock_for_reading(database, Reader.SCAN), database.read() as session:
        session.execute(end_others)

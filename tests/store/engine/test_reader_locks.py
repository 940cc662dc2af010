"""Long readings and what deletes keep out of each other's way."""

from threading import Event, Thread

import pytest

from store.engine.database import Database
from store.engine.reader_locks import BeingRead, Reader, lock_for_pruning, lock_for_reading
from tests.waiting import wait_for


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
        began.wait(10)
        assert not done.is_set()
    wait_for(done.is_set)
    thread.join()


def test_patience_finds_the_moment_in_which_nobody_reads(database: Database) -> None:
    began, may_end = Event(), Event()

    def read() -> None:
        with lock_for_reading(database, Reader.EXPORT):
            began.set()
            may_end.wait(10)

    thread = Thread(target=read)
    thread.start()
    assert began.wait(10)
    with pytest.raises(BeingRead), lock_for_pruning(database, patience_seconds=0.1):
        pytest.fail("it must not be alone")
    may_end.set()
    with lock_for_pruning(database, patience_seconds=10):
        pass
    thread.join()


def test_a_turn_ends_with_a_reader_that_failed(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), lock_for_reading(database, Reader.SCAN):
        raise ZeroDivisionError
    with lock_for_pruning(database):
        pass

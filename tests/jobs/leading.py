"""A leader that renews its lease, and terms short enough for a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from jobs.leader import Leader, Terms, leadership
from store.engine.database import Database

SHORT = Terms(renew_seconds=0.05, expire_seconds=0.5, poll_seconds=0.02)


@contextmanager
def leading(database: Database) -> Iterator[Leader]:
    """Lead, and renew the lease all the time, as the watchdog does."""
    done = Event()

    def renew(leader: Leader) -> None:
        while not done.wait(SHORT.renew_seconds):
            leader.confirm()

    with leadership(database, Event(), SHORT) as leader:
        thread = Thread(target=renew, args=(leader,))
        thread.start()
        try:
            yield leader
        finally:
            done.set()
            thread.join()

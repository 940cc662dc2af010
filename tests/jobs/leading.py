"""A leader that renews its lease, and terms that a test need not wait for."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from jobs.leader import Leader, Terms, leadership
from store.engine.database import Database
from tests.waiting import PATIENCE_SECONDS

# Nobody renews any more: the lease has soon run out.
SHORT = Terms(renew_seconds=0.05, expire_seconds=0.5, poll_seconds=0.02)
# Whoever waits sees each renewal, and does not take the lease when one of them comes late.
PATIENT = Terms(renew_seconds=0.05, expire_seconds=PATIENCE_SECONDS, poll_seconds=0.02)


@contextmanager
def leading(database: Database) -> Iterator[Leader]:
    """Lead, and renew the lease all the time, as the watchdog does."""
    done = Event()

    def renew(leader: Leader) -> None:
        while not done.wait(PATIENT.renew_seconds):
            leader.confirm()

    with leadership(database, Event(), PATIENT) as leader:
        thread = Thread(target=renew, args=(leader,))
        thread.start()
        try:
            yield leader
        finally:
            done.set()
            thread.join()

"""Leadership: one scheduler per database, which holds a lease and renews it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Lock

import structlog
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from jobs.clocks.steady_clock import steady_seconds
from store.engine.database import Database, StoreUnavailable
from store.engine.leases import (
    Lease,
    LeaseLost,
    check_lease,
    read_lease,
    release_lease,
    renew_lease,
    take_lease,
)
from store.models.loaded_models import this_host

_log = structlog.get_logger(__name__)


class AlreadyRunning(MaskwatchError):
    """Another scheduler works on this database."""


@dataclass(frozen=True)
class Terms:
    """Seconds, the same for all schedulers of a database.

    Attributes:
        renew_seconds: after this time the leader renews.
        expire_seconds: a lease that was not renewed for so long may be taken.
        poll_seconds: after this time whoever waits for the lease looks again.
    """

    renew_seconds: float = 10.0
    expire_seconds: float = 30.0
    poll_seconds: float = 0.5


@dataclass(frozen=True)
class _Watched:
    """A version of somebody else's lease, and when it was first seen, by the steady clock."""

    version: int
    at: float


class Leader:
    """One scheduler's part in the choice of the leader; its methods may be called by any thread.

    Args:
        clock: seconds that go on whatever becomes of the time of day.
    """

    def __init__(
        self,
        database: Database,
        terms: Terms | None = None,
        clock: Callable[[], float] = steady_seconds,
    ) -> None:
        self.terms = terms or Terms()
        self._database = database
        self._clock = clock
        self._holder = f"{this_host()}, process {os.getpid()}"
        self._lock = Lock()
        self._token: str | None = None
        self._watched: _Watched | None = None

    def confirm(self, idle_seconds: float = 0.0, max_idle_seconds: float = 0.0) -> bool:
        """Renew the lease, or take one that is free or was not renewed; whether this one leads.

        Args:
            idle_seconds: how long ago a job began.
            max_idle_seconds: how long is usual.

        Raises:
            StoreUnavailable: the database does not say who leads.
        """
        with self._lock, self._database.write() as session:
            if self._token and renew_lease(session, self._token, idle_seconds, max_idle_seconds):
                return True
            self._token = self._take(session)
        return self._token is not None

    def wait_until_leading(self, stop: Event) -> bool:
        """Take the lease, if need be once that of a dead leader has run out; ``False`` if stopped.

        Raises:
            AlreadyRunning: another leader renewed meanwhile, so that it lives.
            StoreUnavailable: the database cannot be reached.
        """
        rival = self._read()
        while not self.confirm():
            lease = self._read()
            if lease.version != rival.version:
                raise AlreadyRunning(
                    f"Another `maskwatch jobs` is running for this database ({lease.holder}): "
                    "leave the work to it, or stop it first."
                )
            if stop.wait(self.terms.poll_seconds):
                return False
        return True

    def guard(self, session: Session) -> None:
        """Let a transaction end only while this one leads: it may have stood still meanwhile.

        Raises:
            LeaseLost: it does not lead.
        """
        if self._token is None:
            raise LeaseLost("Another `maskwatch jobs` leads: this one writes nothing.")
        check_lease(session, self._token)

    def resign(self) -> None:
        """Let another one lead at once; without the database, after the lease has run out."""
        with self._lock, suppress(StoreUnavailable), self._database.write() as session:
            if self._token is not None:
                release_lease(session, self._token)
            self._token = None

    def _take(self, session: Session) -> str | None:
        now, lease = self._clock(), read_lease(session)
        if lease.token is None or self._has_run_out(lease, now):
            return take_lease(session, lease.version, self._holder)
        if self._watched is None or self._watched.version != lease.version:
            # Not before it was read: else the time of waiting for the database would count.
            self._watched = _Watched(lease.version, self._clock())
        return None

    def _has_run_out(self, lease: Lease, now: float) -> bool:
        watched = self._watched
        if watched is None or watched.version != lease.version:
            return False
        return now - watched.at >= self.terms.expire_seconds

    def _read(self) -> Lease:
        with self._database.read() as session:
            return read_lease(session)


@contextmanager
def leadership(database: Database, stop: Event, terms: Terms | None = None) -> Iterator[Leader]:
    """Be the leader until the block ends, or find out in it that another one is.

    Raises:
        AlreadyRunning: another process is the leader.
        StoreUnavailable: the database cannot be reached.
    """
    leader = Leader(database, terms)
    leader.wait_until_leading(stop)
    try:
        yield leader
    finally:
        leader.resign()

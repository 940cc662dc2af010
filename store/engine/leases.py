"""Leases: a row that says which one process does the work that only one may do.

Nothing here compares times. The leader renews, and with each renewal the row's version grows;
whoever wants to lead watches the version by its own steady clock and takes the row only at the
version that it watched. A clock that is put back or forward therefore gives no lease away and keeps
none. The times in the row, by the clock of the database, are for people.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from store.engine.faults import StoreUnavailable
from store.tables.work_tables import LeaseRow

JOBS = "jobs"


class LeaseLost(StoreUnavailable):
    """Somebody else does the work by now: nothing may be written."""


@dataclass(frozen=True)
class Lease:
    """The row at one moment.

    Attributes:
        version: grows with each renewal and each change of the holder.
        token: names one leadership of one process; ``None`` while the lease is free.
        holder: the same for people.
        age_seconds: since the last renewal, by the clock of the database.
        idle_seconds: since the holder last did something, when it renewed, by its steady clock.
        max_idle_seconds: how much of that is usual.
    """

    version: int
    token: str | None
    holder: str | None
    since: datetime | None
    age_seconds: float | None
    idle_seconds: float
    max_idle_seconds: float


def read_lease(session: Session, name: str = JOBS) -> Lease:
    """The lease as it is."""
    row, now = session.execute(
        select(LeaseRow, func.now(type_=LeaseRow.renewed_at.type)).where(LeaseRow.name == name)
    ).one()
    age = None if row.renewed_at is None else (now - row.renewed_at).total_seconds()
    return Lease(
        *(row.version, row.token, row.holder, row.since),
        *(age, row.idle_seconds, row.max_idle_seconds),
    )


def take_lease(session: Session, version: int, holder: str, name: str = JOBS) -> str | None:
    """Take the lease if it is still at a version; the token of the new leadership, if it is."""
    token = str(uuid4())
    changed = session.execute(
        update(LeaseRow)
        .where(LeaseRow.name == name, LeaseRow.version == version)
        .values(
            version=LeaseRow.version + 1,
            token=token,
            holder=holder,
            since=func.now(),
            renewed_at=func.now(),
            idle_seconds=0.0,
            max_idle_seconds=0.0,
        )
        .returning(LeaseRow.version)
    ).all()
    return token if len(changed) == 1 else None


def renew_lease(
    session: Session, token: str, idle_seconds: float, max_idle_seconds: float, name: str = JOBS
) -> bool:
    """Keep the lease; ``False`` if somebody else has it."""
    changed = session.execute(
        update(LeaseRow)
        .where(LeaseRow.name == name, LeaseRow.token == token)
        .values(
            version=LeaseRow.version + 1,
            renewed_at=func.now(),
            idle_seconds=idle_seconds,
            max_idle_seconds=max_idle_seconds,
        )
        .returning(LeaseRow.version)
    ).all()
    return len(changed) == 1


def release_lease(session: Session, token: str, name: str = JOBS) -> None:
    """Let somebody else have the lease at once."""
    session.execute(
        update(LeaseRow)
        .where(LeaseRow.name == name, LeaseRow.token == token)
        .values(version=LeaseRow.version + 1, token=None, holder=None, since=None)
    )


def check_lease(session: Session, token: str, name: str = JOBS) -> None:
    """See that a leadership lasts; on PostgreSQL nobody takes it before the transaction ends.

    Raises:
        LeaseLost: it does not.
    """
    mine = select(LeaseRow.name).where(LeaseRow.name == name, LeaseRow.token == token)
    if session.scalar(mine.with_for_update(read=True)) is None:
        raise LeaseLost("Another `maskwatch jobs` took over while this one stood still.")

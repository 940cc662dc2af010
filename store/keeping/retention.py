"""Retention: what is too old goes, in batches that are short enough to stand between requests."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Delete, Table, delete, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from store.engine.day_partitions import drop_day, is_partitioned, list_days, make_days
from store.requests.request_keys import REQUESTS
from store.tables.all_tables import METADATA
from store.tables.request_tables import RequestRow
from store.tables.roll_up_tables import SequenceRow
from store.tables.work_tables import AlertRow, JobRunRow, LoginTokenRow, NotificationRow

# Tables with rows that belong to a request, and the column that holds its key. Keys of fingerprints
# go with their fingerprints.
OF_A_REQUEST: Mapping[str, str] = {
    "requests": "id",
    "request_features": "request_pk",
    "request_reasons": "request_pk",
    "findings": "request_pk",
    "evidence": "request_pk",
    "scores": "request_pk",
    "fingerprints": "request_pk",
    "family_members": "request_pk",
    "feedback": "request_pk",
}
_LOCK_WAIT = "500ms"
_LOCK_NOT_AVAILABLE = "55P03"


class DaysInUse(MaskwatchError):
    """Partitions cannot be made or dropped now."""

    retryable = True
    because = "a long query is reading the records"


def key_column(table: str) -> ColumnElement[int]:
    """The column of a table that holds the key of a request."""
    return _table(table).c[OF_A_REQUEST[table]]


def delete_requests(
    session: Session, which: Callable[[ColumnElement[int]], ColumnElement[bool]]
) -> dict[str, int]:
    """Delete requests with all that belongs to them.

    Args:
        which: a condition on a column that holds keys of requests.

    Returns:
        Rows by table, of the tables that had any.
    """
    by_table = {
        name: _delete_rows(session, delete(_table(name)).where(which(key_column(name))))
        for name in OF_A_REQUEST
    }
    return {name: rows for name, rows in by_table.items() if rows}


def forget_requests(session: Session, before_key: int, most: int) -> dict[str, int]:
    """Delete the oldest requests whose key is smaller, at most so many; rows by table.

    A key is never smaller than its arrival says: nothing younger goes.
    """
    oldest = select(RequestRow.id).where(RequestRow.id < before_key).order_by(RequestRow.id)
    last = session.scalar(select(func.max(oldest.limit(most).subquery().c.id)))
    if last is None:
        return {}
    return delete_requests(session, lambda key: key <= last)


def make_coming_days(session: Session, today: date, ahead: int = 14) -> None:
    """Make the partitions of today and of the days after it; nothing to do on SQLite.

    Raises:
        DaysInUse: the tables stayed in use; the records of a day without partitions are kept with
            the rest.
    """
    if is_partitioned(session):
        _change_alone(session, lambda: make_days(session, today, 1 + ahead))


def days_before(session: Session, day: date) -> tuple[date, ...]:
    """Days before a day that have partitions, oldest first; none on SQLite."""
    return tuple(d for d in list_days(session) if d < day) if is_partitioned(session) else ()


def drop_old_day(session: Session, day: date) -> int:
    """Drop a day's partitions; how many requests went with them.

    Raises:
        DaysInUse: somebody reads them.
    """
    return _change_alone(session, lambda: drop_day(session, day))


def _change_alone(session: Session, change: Callable[[], int]) -> int:
    """Change partitions while no record is being written, or not at all.

    Writers lock the tables in another order: the row that they begin with keeps the two from
    waiting for each other. A long wait would hold up everybody who comes after.
    """
    session.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'"))
    try:
        row = select(SequenceRow).where(SequenceRow.name == REQUESTS).with_for_update()
        session.execute(row)
        return change()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        raise DaysInUse(f"{DaysInUse.because.capitalize()}: try again later.") from error


def forget_sign_ins(session: Session, before: datetime) -> int:
    """Delete one-time tokens and browser sessions that ended before a time."""
    return _delete_rows(session, delete(LoginTokenRow).where(LoginTokenRow.expires_at < before))


def forget_notifications(session: Session, before: datetime) -> int:
    """Delete the notifications of alerts that were resolved before a time; the alerts stay."""
    alerts = select(AlertRow.id).where(AlertRow.resolved_at < before)
    return _delete_rows(
        session, delete(NotificationRow).where(NotificationRow.alert_id.in_(alerts))
    )


def forget_job_runs(session: Session, before: datetime, most: int) -> int:
    """Delete the oldest job runs that began before a time, at most so many."""
    # Runs are numbered as they begin, so that a look at the first ones is enough.
    first = select(JobRunRow.id, JobRunRow.started_at).order_by(JobRunRow.id).limit(most)
    runs = first.subquery()
    old = session.scalars(select(runs.c.id).where(runs.c.started_at < before)).all()
    return _delete_rows(session, delete(JobRunRow).where(JobRunRow.id.in_(old))) if old else 0


def _table(name: str) -> Table:
    return METADATA.tables[name]


def _delete_rows(session: Session, statement: Delete) -> int:
    result: CursorResult[Any] = session.connection().execute(statement)
    return result.rowcount

"""Days of records: PostgreSQL keeps each in partitions of its own, which are dropped as a whole.

Two functions in the database make and drop a day's partitions (migration 0010). They run with the
rights of their owner, so that the role that Maskwatch works under needs none to change tables.
"""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

SCHEMA = "maskwatch_days"


def is_partitioned(session: Session) -> bool:
    """Whether days are partitions; on SQLite they are ranges of keys in one table."""
    return session.get_bind().dialect.name == "postgresql"


def start_of(day: date) -> datetime:
    """Midnight UTC, at which a day begins."""
    return datetime.combine(day, time(), UTC)


def make_days(session: Session, first: date, count: int) -> int:
    """Make the partitions of so many days; how many days are ready.

    A day is not ready if its records came before its partitions: they lie in the partition for all
    the rest, and stay there.
    """
    days = [first + timedelta(days=n) for n in range(count)]
    return sum(bool(session.scalar(select(func.maskwatch_make_day(day)))) for day in days)


def drop_day(session: Session, day: date) -> int:
    """Drop a day's partitions, and say how many requests went with them."""
    return session.scalar(select(func.maskwatch_drop_day(day))) or 0


def list_days(session: Session) -> tuple[date, ...]:
    """Days that have partitions, oldest first."""
    names = session.scalars(
        text(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = :schema AND c.relkind = 'r' "
            "AND c.relname ~ '^requests_[0-9]{8}$' ORDER BY c.relname"
        ),
        {"schema": SCHEMA},
    )
    return tuple(datetime.strptime(name[-8:], "%Y%m%d").date() for name in names)  # noqa: DTZ007

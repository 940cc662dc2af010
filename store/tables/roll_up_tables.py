"""Tables of counts, and how far counting and storing have come."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class RollUpRow(Base):
    """How many requests a bucket of time had, by one property of theirs and by verdict.

    ``resolution`` is the length of the bucket and ``start`` its begin since 1970, in seconds.
    """

    __tablename__ = "roll_ups"
    # A month of days is read by pages. They lie scattered among hours and minutes on PostgreSQL;
    # SQLite keeps the table in the order of its key.
    __table_args__ = (
        Index(
            "ix_roll_ups_days",
            *("dimension", "start"),
            postgresql_include=["name", "verdict", "requests"],
            postgresql_where=text("resolution = 86400"),
            info={"dialect": "postgresql"},
        ).ddl_if(dialect="postgresql"),
        {"sqlite_with_rowid": False},
    )

    resolution: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    dimension: Mapped[str] = mapped_column(String(8), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    verdict: Mapped[str] = mapped_column(String(8), primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)


class ClientRow(Base):
    """A client whose requests are rolled up; ``bad`` are those that did not pass."""

    __tablename__ = "clients"
    __table_args__ = (Index(None, "last_seen", "client"), {"sqlite_with_rowid": False})

    client: Mapped[str] = mapped_column(String(80), primary_key=True)
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    requests: Mapped[int] = mapped_column(BigInteger)
    bad: Mapped[int] = mapped_column(BigInteger)


class SequenceRow(Base):
    """The last key that was handed out."""

    __tablename__ = "sequences"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)

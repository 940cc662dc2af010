"""Change marks: one counter for each kind of data that other processes keep a copy of.

A counter, not a time stamp: the clocks of two machines differ, and a change that is dated before
the last look would never be seen.
"""

from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from store.tables.work_tables import ChangeMarkRow


class Mark(StrEnum):
    """What is copied; the migrations make a row for each."""

    DECISIONS = "decisions"
    API_KEYS = "api_keys"
    OUTLIER_MODEL = "outlier_model"
    SOURCES = "sources"


def move_mark(session: Session, mark: Mark) -> int:
    """Say in this transaction that something changes, and return the version of the change.

    Readers notice when it is committed.

    Call it before the change itself. Transactions that change the same kind then follow one another
    on PostgreSQL, as they do on SQLite: they cannot lock each other out, and what one of them reads
    afterwards is not changed by another.
    """
    return session.execute(
        update(ChangeMarkRow)
        .where(ChangeMarkRow.name == mark.value)
        .values(version=ChangeMarkRow.version + 1)
        .returning(ChangeMarkRow.version)
    ).scalar_one()


def read_marks(session: Session) -> Mapping[str, int]:
    """The version of every mark; a copy is stale as soon as they differ from what it was made at.

    Read them before the data: data that is newer than its marks is read once more, data that is
    older would stay.
    """
    rows = session.execute(select(ChangeMarkRow.name, ChangeMarkRow.version))
    return {row.name: row.version for row in rows}

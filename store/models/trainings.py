"""What was trained: a row for each archive, of outlier models and of re-rankers."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.audit.audit_log import Entry, append
from store.tables.model_tables import RerankerRow
from store.tables.work_tables import OutlierModelRow

Row = TypeVar("Row", OutlierModelRow, RerankerRow)


def add_training(
    session: Session, row: Row, describe: Callable[[Row], Entry], now: datetime
) -> Row:
    """Add a row, not promoted yet; the same archive again is the row that it has, judged anew.

    Args:
        describe: the entry in the audit of a row that is new.
    """
    of = type(row)
    old_row = session.scalars(select(of).where(of.digest == row.digest)).one_or_none()
    if old_row is not None:
        # What it was judged by may have changed: a push is over, the frozen sets are new.
        old_row.metrics = row.metrics
        return old_row
    session.add(row)
    session.flush()
    append(session, describe(row), now)
    return row

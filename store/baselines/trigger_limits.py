"""The learnt limit of suspected triggers, which stands among the limits of a source."""

from datetime import datetime

from sqlalchemy.orm import Session

from store.audit.audit_log import Action, Entry, append
from store.engine.change_marks import Mark, move_mark
from store.tables.baseline_tables import SourceRow

TRIGGER_LIMIT = "max_trigger_score"


def read_trigger_limit(row: SourceRow | None) -> float:
    """The score up to which a suspected trigger is no evidence; 0 if none was learnt."""
    limits = {} if row is None or row.limits is None else row.limits
    return float(limits.get(TRIGGER_LIMIT, 0.0))


def keep_trigger_limit(
    session: Session, row: SourceRow, limit: float, actor: str, now: datetime
) -> str | None:
    """Let another limit hold from now on, and write it into the audit; a sentence about it."""
    before = read_trigger_limit(row)
    if limit == before:
        return None
    move_mark(session, Mark.SOURCES)
    row.limits = (row.limits or {}) | {TRIGGER_LIMIT: limit}
    details = {"source": row.digest, "limit": TRIGGER_LIMIT, "before": before, "after": limit}
    append(session, Entry(actor, Action.SOURCE_CHANGED, f"source {row.digest[:12]}", details), now)
    return f"Suspected triggers flag above {limit:g}, above {before:g} before."

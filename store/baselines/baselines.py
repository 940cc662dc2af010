"""Baselines: appended, found by their hash, one of a source in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.baseline.baseline import Baseline, BaselineError
from detectors.baseline.baseline_text import from_json
from store.audit.audit_log import Action, Entry, append
from store.tables.baseline_tables import BaselineRow


class Origin(StrEnum):
    """Where a baseline comes from."""

    LEARNT = "learnt"
    SHIPPED = "shipped"
    FILE = "file"


@dataclass(frozen=True)
class NewBaseline:
    """A baseline that is to be kept.

    Attributes:
        source: digest of the source that it was learnt with.
        text: as :func:`detectors.baseline.baseline_text.to_json` writes it.
        rows: pictures that it was learnt from, and ``clients`` who sent them; 0 if unknown.
    """

    source: str
    origin: Origin
    text: str
    rows: int = 0
    clients: int = 0
    parent_id: int | None = None
    metrics: Mapping[str, object] = field(default_factory=dict)


def add_baseline(session: Session, new: NewBaseline, actor: str, now: datetime) -> BaselineRow:
    """Keep a baseline, not in force yet; the same text again is the same row."""
    digest = sha256(new.text.encode()).hexdigest()
    old = session.scalars(select(BaselineRow).where(BaselineRow.digest == digest)).one_or_none()
    if old is not None:
        return old
    row = BaselineRow(
        source=new.source,
        digest=digest,
        origin=new.origin.value,
        rows=new.rows,
        clients=new.clients,
        learnt_at=now,
        promoted_at=None,
        promoted_by=None,
        parent_id=new.parent_id,
        metrics=dict(new.metrics),
        text=new.text,
    )
    session.add(row)
    session.flush()
    details = {"digest": digest, "source": new.source, "origin": new.origin.value, "rows": new.rows}
    append(session, Entry(actor, Action.BASELINE_ADDED, subject_of(row.id), details), now)
    return row


def read_baseline_row(row: BaselineRow) -> Baseline:
    """The baseline of a row.

    Raises:
        BaselineError: somebody changed its text, or it is one of another version.
    """
    if sha256(row.text.encode()).hexdigest() != row.digest:
        raise BaselineError(
            f"Baseline {row.id} is not what was stored under its hash: find out who changed it, "
            "and promote another one with `maskwatch baselines promote`."
        )
    try:
        return from_json(row.text)
    except BaselineError as error:
        raise BaselineError(f"Baseline {row.id} does not serve: {error}") from None


def find_baseline(session: Session, baseline_id: int) -> BaselineRow:
    """The row of a number.

    Raises:
        BaselineError: there is none.
    """
    row = session.get(BaselineRow, baseline_id)
    if row is None:
        raise BaselineError(
            f"There is no baseline {baseline_id}: `maskwatch baselines list` lists them."
        )
    return row


def newest_given(session: Session, source: str) -> BaselineRow | None:
    """The baseline that an operator named last for a source, else the shipped one."""
    statement = select(BaselineRow).where(
        BaselineRow.source == source, BaselineRow.origin != Origin.LEARNT.value
    )
    rows = session.scalars(statement.order_by(BaselineRow.id)).all()
    return max(rows, key=lambda row: (row.origin == Origin.FILE.value, row.id), default=None)


def list_baselines(session: Session, source: str | None = None) -> tuple[BaselineRow, ...]:
    """All baselines, newest first; of one source only if it is named."""
    statement = select(BaselineRow).order_by(BaselineRow.id.desc())
    if source is not None:
        statement = statement.where(BaselineRow.source.startswith(source, autoescape=True))
    return tuple(session.scalars(statement))


def subject_of(baseline_id: int) -> str:
    """How the audit names a baseline."""
    return f"baseline {baseline_id}"

"""Audit: every change by people and jobs becomes a row of a hash chain, in the same transaction."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import event, insert, select
from sqlalchemy.orm import Session

from store.audit.anchors import Anchor
from store.audit.hash_chain import GENESIS, Link, text_of_details, text_of_time
from store.engine.locks import take_turn
from store.tables.audit_tables import AuditRow

_PENDING = "audit"


class Action(StrEnum):
    """What was done."""

    DECISION_MADE = "decision_made"
    DECISION_REVOKED = "decision_revoked"
    DECISION_REPLACED = "decision_replaced"
    BLOCK_PROPOSED = "block_proposed"
    PROPOSAL_DECLINED = "proposal_declined"
    SCENARIO_ENABLED = "scenario_enabled"
    FEEDBACK_GIVEN = "feedback_given"
    ALERT_FIRED = "alert_fired"
    ALERT_WEIGHED = "alert_weighed"
    ALERT_RESOLVED = "alert_resolved"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    NOTIFICATION_SENT = "notification_sent"
    KEY_MADE = "key_made"
    KEY_REVOKED = "key_revoked"
    MODEL_LOADED = "model_loaded"
    OUTLIER_MODEL_TRAINED = "outlier_model_trained"
    OUTLIER_MODEL_PROMOTED = "outlier_model_promoted"
    OUTLIER_MODEL_REVERTED = "outlier_model_reverted"
    RERANKER_TRAINED = "reranker_trained"
    RERANKER_PROMOTED = "reranker_promoted"
    RERANKER_REVERTED = "reranker_reverted"
    FROZEN_SET_MADE = "frozen_set_made"
    BASELINE_ADDED = "baseline_added"
    SOURCE_CHANGED = "source_changed"
    RULE_DEMOTED = "rule_demoted"
    RULE_PROMOTED = "rule_promoted"
    RETENTION_PRUNED = "retention_pruned"
    EVIDENCE_ERASED = "evidence_erased"
    LINK_MADE = "link_made"
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"


@dataclass(frozen=True)
class Entry:
    """One change to be told of.

    Attributes:
        actor: who did it, made by :mod:`store.audit.actors`.
        subject: what it was done to, e.g. ``decision 12``.
        details: more about it that JSON can hold; never a secret.
    """

    actor: str
    action: Action
    subject: str
    details: Mapping[str, object] = field(default_factory=dict)


def append(session: Session, entry: Entry, now: datetime) -> None:
    """Let an entry be committed with the change that this transaction makes, or not at all.

    The row is written when the transaction commits. Who writes to the chain has to be alone with it
    until the commit; taking that turn last means that nobody who holds it waits for anything else,
    so that two transactions cannot lock each other out.

    Raises:
        ValueError: the details hold a number that is not finite, or the time has no zone.
        TypeError: the details hold something that JSON does not know.
    """
    if now.tzinfo is None:
        raise ValueError("Timestamps must carry their time zone.")
    if _PENDING not in session.info:
        session.info[_PENDING] = []
        event.listen(session, "before_commit", _write)
        event.listen(session, "after_rollback", _forget)
    session.info[_PENDING].append(
        {
            "at": text_of_time(now),
            "actor": entry.actor,
            "action": entry.action.value,
            "subject": entry.subject,
            "details": text_of_details(entry.details),
        }
    )


def _write(session: Session) -> None:
    pending: list[dict[str, str]] = session.info[_PENDING]
    if not pending:
        return
    session.flush()
    take_turn(session, "audit")
    sequence, previous = _head(session)
    rows: list[dict[str, object]] = []
    for content in pending:
        sequence += 1
        link = Link(sequence, **content, previous_hash=previous, own_hash="")
        previous = link.hash_as(sequence)
        rows.append(asdict(replace(link, own_hash=previous)))
    session.execute(insert(AuditRow), rows)
    pending.clear()


def _forget(session: Session) -> None:
    session.info[_PENDING].clear()


def audit_head(session: Session) -> Anchor | None:
    """The newest row; ``None`` of an empty chain."""
    sequence, own_hash = _head(session)
    return Anchor(sequence, own_hash) if sequence else None


def hash_of_row(session: Session, sequence: int) -> str | None:
    """The hash that a row has; ``None`` if there is no such row."""
    return session.scalar(select(AuditRow.own_hash).where(AuditRow.sequence == sequence))


def _head(session: Session) -> tuple[int, str]:
    newest = select(AuditRow.sequence, AuditRow.own_hash).order_by(AuditRow.sequence.desc())
    row = session.execute(newest.limit(1)).one_or_none()
    return (0, GENESIS) if row is None else (row.sequence, row.own_hash)

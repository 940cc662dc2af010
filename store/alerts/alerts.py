"""Alerts: fire, keep, resolve, acknowledge; each change that people are told goes to the outbox."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from store.alerts.outbox import queue_notification
from store.audit.actors import analyst, job
from store.audit.audit_log import Action, Entry, append
from store.tables.work_tables import AlertRow, NotificationRow

WARNING, CRITICAL = "warning", "critical"
# What stands for the technique of a condition that no attack has to cause.
NO_TECHNIQUE = "none"


class AlertError(MaskwatchError):
    """An alert that cannot be changed as asked."""


class AlertState(StrEnum):
    """An alert is open while it fires; acknowledging it does not close it."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Event(StrEnum):
    """What a notification tells."""

    FIRING = "firing"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Condition:
    """One evaluation of one alert rule.

    Attributes:
        fingerprint: equal conditions share it; at most one alert per fingerprint is open.
        active: whether the threshold is breached now.
    """

    fingerprint: str
    rule: str
    severity: str
    active: bool
    value: float
    threshold: float
    summary: str
    atlas: str
    owasp: str
    evidence: Mapping[str, object] = field(default_factory=dict)


def apply_condition(
    session: Session, condition: Condition, now: datetime, *, judge: str = "evaluate_alerts"
) -> AlertRow | None:
    """Open, refresh or resolve the alert of a condition; queue a notification when it changes.

    Args:
        judge: the job that found the condition, for the audit.
    """
    open_alert = session.scalars(
        select(AlertRow).where(
            AlertRow.fingerprint == condition.fingerprint,
            AlertRow.state == AlertState.FIRING.value,
        )
    ).one_or_none()
    if open_alert is None:
        return _fire(session, condition, judge, now) if condition.active else None
    if not condition.active:
        _resolve(session, open_alert, now)
        _tell(session, open_alert, job(judge), Action.ALERT_RESOLVED, now)
    elif open_alert.severity != condition.severity:
        _change_severity(session, open_alert, condition.severity, now)
        _tell(session, open_alert, job(judge), Action.ALERT_WEIGHED, now)
    open_alert.value = condition.value
    open_alert.threshold = condition.threshold
    open_alert.summary = condition.summary
    open_alert.evidence = dict(condition.evidence)
    open_alert.evaluated_at = now
    return open_alert


def open_fingerprints(session: Session) -> frozenset[str]:
    """The fingerprints of all open alerts."""
    fingerprints = select(AlertRow.fingerprint).where(AlertRow.state == AlertState.FIRING.value)
    return frozenset(session.scalars(fingerprints))


def open_alerts(session: Session, rule: str) -> tuple[AlertRow, ...]:
    """The open alerts of one rule."""
    is_firing = AlertRow.state == AlertState.FIRING.value
    return tuple(session.scalars(select(AlertRow).where(is_firing, AlertRow.rule == rule)))


def _resolve(session: Session, alert: AlertRow, now: datetime) -> None:
    alert.state = AlertState.RESOLVED.value
    alert.resolved_at = now
    queue_notification(session, alert.id, Event.RESOLVED.value, now)


def _change_severity(session: Session, alert: AlertRow, severity: str, now: datetime) -> None:
    """Tell people about the first rise to critical; later ups and downs only show on the page."""
    alert.severity = severity
    escalation = exists().where(
        NotificationRow.alert_id == alert.id, NotificationRow.event == Event.ESCALATED.value
    )
    if severity == CRITICAL and not session.scalar(select(escalation)):
        queue_notification(session, alert.id, Event.ESCALATED.value, now)


def _fire(session: Session, condition: Condition, judge: str, now: datetime) -> AlertRow:
    alert = AlertRow(
        fingerprint=condition.fingerprint,
        rule=condition.rule,
        severity=condition.severity,
        state=AlertState.FIRING.value,
        summary=condition.summary,
        value=condition.value,
        threshold=condition.threshold,
        evidence=dict(condition.evidence),
        atlas=condition.atlas,
        owasp=condition.owasp,
        fired_at=now,
        evaluated_at=now,
    )
    session.add(alert)
    session.flush()
    queue_notification(session, alert.id, Event.FIRING.value, now)
    _tell(session, alert, job(judge), Action.ALERT_FIRED, now)
    return alert


def _tell(session: Session, alert: AlertRow, actor: str, action: Action, now: datetime) -> None:
    details = {"rule": alert.rule, "severity": alert.severity, "fingerprint": alert.fingerprint}
    append(session, Entry(actor, action, f"alert {alert.id}", details), now)


def acknowledge(session: Session, alert_id: int, who: str, now: datetime) -> None:
    """Say that somebody looks after a firing alert.

    Args:
        who: name of the analyst.

    Raises:
        AlertError: the alert is resolved, unknown or acknowledged already.
    """
    rows = session.execute(
        update(AlertRow)
        .where(
            AlertRow.id == alert_id,
            AlertRow.state == AlertState.FIRING.value,
            AlertRow.acknowledged_at.is_(None),
        )
        .values(acknowledged_at=now, acknowledged_by=who)
        .returning(AlertRow.id)
    ).all()
    if len(rows) != 1:
        raise AlertError(f"Alert {alert_id} cannot be acknowledged: it is not open or already is.")
    alert = session.get_one(AlertRow, alert_id)
    _tell(session, alert, analyst(who), Action.ALERT_ACKNOWLEDGED, now)

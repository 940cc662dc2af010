"""The alert rule ``invalid_share``: too many requests are refused or flagged."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from store.alert_rules.rule import AlertRule, Facts, Judgement, Surroundings, Unit, UnitKind
from store.alerts.alerts import CRITICAL, WARNING, Condition, open_alerts
from store.configuration.report_groups import AlertsGroup
from store.counts.client_counts import count_clients
from store.counts.invalid_requests import (
    InvalidRequests,
    InvalidShare,
    invalid_requests,
    invalid_share,
)
from store.counts.periods import Period
from store.phrases import phrase_count, phrase_share
from store.tables.work_tables import AlertRow

INVALID_SHARE = "invalid_share"
WINDOW_HOURS = 24
# An open alert closes only clearly below its threshold, or it would flap on the border.
RESOLVE_BELOW = 0.8
_MAX_LISTED = 5


@dataclass(frozen=True)
class ShareLimits:
    """Where the share of invalid requests becomes an alert."""

    warning: float
    critical: float
    min_requests: int
    min_clients: int

    @classmethod
    def of(cls, settings: AlertsGroup) -> "ShareLimits":
        """The limits of the settings."""
        return cls(
            settings.invalid_share_threshold,
            settings.invalid_share_critical,
            settings.alert_min_requests,
            settings.alert_min_clients,
        )


def look_at_share(around: Surroundings) -> Judgement:
    """Judge the requests of the last 24 hours."""
    return lambda session: _conditions(session, around)


def invalid_share_condition(
    counts: InvalidShare,
    clients: int,
    examples: InvalidRequests,
    limits: ShareLimits,
    is_open: bool,
) -> Condition:
    """Too many requests were refused by the gate or flagged by a rule.

    Args:
        clients: how many clients there were.
        is_open: whether the alert fires already; it then closes at a lower share.
    """
    critical = counts.share > limits.critical
    limit = limits.critical if critical else limits.warning
    enough = counts.total >= limits.min_requests and clients >= limits.min_clients
    above = counts.share > (RESOLVE_BELOW * limits.warning if is_open else limits.warning)
    return Condition(
        fingerprint=INVALID_SHARE,
        rule=INVALID_SHARE,
        severity=CRITICAL if critical else WARNING,
        active=enough and above,
        value=counts.share,
        threshold=limit,
        summary=(
            f"{phrase_share(counts.share)} of the last {phrase_count(counts.total, 'request')} in "
            f"{WINDOW_HOURS} hours were refused or flagged (limit {phrase_share(limit)})."
        ),
        atlas="AML.T0043",
        owasp="ML01:2023",
        evidence={
            "requests": counts.total,
            "invalid": counts.invalid,
            "window_hours": WINDOW_HOURS,
            "reasons": [list(entry) for entry in examples.reasons],
            "clients": [list(entry) for entry in examples.clients],
            "request_ids": list(examples.request_ids),
        },
    )


def _conditions(session: Session, around: Surroundings) -> Iterator[Condition]:
    period = Period.until(around.now, timedelta(hours=WINDOW_HOURS))
    yield invalid_share_condition(
        invalid_share(session, period),
        count_clients(session, period),
        invalid_requests(session, period, _MAX_LISTED),
        ShareLimits.of(around.alerts),
        bool(open_alerts(session, INVALID_SHARE)),
    )


def _title(alert: AlertRow) -> str:
    return f"invalid share {phrase_share(alert.value)} (limit {phrase_share(alert.threshold)})"


def _list_facts(alert: AlertRow) -> Facts:
    evidence = alert.evidence
    return (
        ("Share", f"{phrase_share(alert.value)}, limit {phrase_share(alert.threshold)}"),
        (
            "Requests",
            f"{evidence.get('invalid')} of {evidence.get('requests')} in "
            f"{evidence.get('window_hours')} hours",
        ),
    )


RULE = AlertRule(
    code=INVALID_SHARE,
    words="Invalid share",
    meaning="Too many of the requests of 24 hours were refused, flagged or ended by a fault.",
    unit=Unit(UnitKind.SHARE, "share of the requests"),
    firing=_title,
    resolved=_title,
    next_steps=(
        "Open some of the example requests: is it an attack, or did an honest client change?",
        "Block who attacks, and revoke a block that hits the wrong one, on the blacklist page.",
    ),
    runbook="invalid_share",
    look=look_at_share,
    facts=_list_facts,
)

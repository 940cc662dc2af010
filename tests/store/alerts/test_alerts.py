"""Alerts: when they fire, resolve and are acknowledged, and which of it goes to the outbox."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from store.alerts.alerts import (
    AlertError,
    AlertState,
    Condition,
    acknowledge,
    apply_condition,
    open_fingerprints,
)
from store.engine.database import Database
from store.pages.alert_views import AlertView, alert_view, latest_alerts
from tests.makers import make_condition

CONDITION = make_condition(summary="Too many requests were invalid.", evidence={"requests": 200})
QUIET = replace(CONDITION, active=False, value=0.01)
MINUTE = timedelta(minutes=1)
Evaluate = Callable[..., int]


@pytest.fixture
def evaluate(database: Database, now: datetime) -> Evaluate:
    """Applies one evaluation and gives the alert's key, or 0."""

    def evaluated(condition: Condition = CONDITION, at: datetime = now) -> int:
        with database.write() as session:
            alert = apply_condition(session, condition, at)
            return alert.id if alert else 0

    return evaluated


def _alerts(database: Database) -> tuple[AlertView, ...]:
    with database.read() as session:
        return latest_alerts(session, most=10)


def test_an_alert_opens_once_is_refreshed_and_resolves(
    database: Database, evaluate: Evaluate, now: datetime
) -> None:
    assert evaluate(QUIET) == 0
    first = evaluate()
    assert evaluate(replace(CONDITION, value=0.2), now + MINUTE) == first
    evaluate(QUIET, now + 2 * MINUTE)
    [alert] = _alerts(database)
    assert (alert.state, alert.firing, alert.value) == (AlertState.RESOLVED, False, 0.01)
    assert (alert.fired_at, alert.evaluated_at) == (now, now + 2 * MINUTE)
    assert alert.resolved_at == now + 2 * MINUTE
    assert alert.evidence == {"requests": 200}
    assert [notice.event for notice in alert.notifications] == ["firing", "resolved"]


def test_a_condition_that_returns_opens_a_new_alert(
    database: Database, evaluate: Evaluate, now: datetime
) -> None:
    first = evaluate()
    evaluate(QUIET, now + MINUTE)
    second = evaluate(CONDITION, now + 2 * MINUTE)
    assert second != first
    assert [alert.id for alert in _alerts(database)] == [second, first]


def test_only_the_first_rise_to_critical_is_told(
    database: Database, evaluate: Evaluate, now: datetime
) -> None:
    for minute, severity in enumerate(("warning", "critical", "warning", "critical")):
        evaluate(replace(CONDITION, severity=severity), now + minute * MINUTE)
    [alert] = _alerts(database)
    assert alert.severity == "critical"
    assert [notice.event for notice in alert.notifications] == ["firing", "escalated"]


def test_open_fingerprints_are_those_of_firing_alerts(
    database: Database, evaluate: Evaluate
) -> None:
    evaluate()
    evaluate(replace(CONDITION, fingerprint="job_failed:scan"))
    evaluate(QUIET)
    with database.read() as session:
        assert open_fingerprints(session) == {"job_failed:scan"}


def test_critical_alerts_come_first_and_resolved_ones_last(
    database: Database, evaluate: Evaluate, now: datetime
) -> None:
    resolved = evaluate(replace(CONDITION, severity="critical"))
    evaluate(QUIET, now + 3 * MINUTE)
    critical = evaluate(replace(CONDITION, fingerprint="a", severity="critical"))
    old = evaluate(replace(CONDITION, fingerprint="b"), now + MINUTE)
    new = evaluate(replace(CONDITION, fingerprint="c"), now + 2 * MINUTE)
    assert [alert.id for alert in _alerts(database)] == [critical, new, old, resolved]
    with database.read() as session:
        assert [alert.id for alert in latest_alerts(session, most=1)] == [critical]
        assert alert_view(session, old) == _alerts(database)[2]
        assert alert_view(session, 999) is None


def test_acknowledging_says_who_and_does_not_close(
    database: Database, evaluate: Evaluate, now: datetime
) -> None:
    alert_id = evaluate()
    with database.write() as session:
        acknowledge(session, alert_id, "chief", now + MINUTE)
    [alert] = _alerts(database)
    assert alert.firing
    assert (alert.acknowledged_by, alert.acknowledged_at) == ("chief", now + MINUTE)


def test_what_is_acknowledged_resolved_or_unknown_cannot_be_acknowledged(
    database: Database, evaluate: Evaluate, now: datetime
) -> None:
    done, resolved = evaluate(replace(CONDITION, fingerprint="a")), evaluate()
    evaluate(QUIET)
    with database.write() as session:
        acknowledge(session, done, "chief", now)
    for alert_id in (done, resolved, 999):
        with (
            pytest.raises(AlertError, match=f"Alert {alert_id} cannot"),
            database.write() as session,
        ):
            acknowledge(session, alert_id, "somebody", now)
    assert {alert.acknowledged_by for alert in _alerts(database)} == {"chief", None}

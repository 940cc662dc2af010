from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from jobs.alerting.alerts import run
from jobs.context import JobContext, JobOutcome
from jobs.runs import run_quietly
from jobs.settings import JobSettings
from store.alert_rules.invalid_share import ShareLimits, invalid_share_condition
from store.alerts.alerts import Event
from store.alerts.job_runs import fail_interrupted_runs, start_run
from store.counts.invalid_requests import InvalidRequests, InvalidShare, invalid_requests
from store.counts.periods import Period
from store.tables.work_tables import AlertRow, NotificationRow

LIMITS = ShareLimits(warning=0.05, critical=0.2, min_requests=20, min_clients=5)
NOTHING = InvalidRequests((), (), ())


def alerts(context: JobContext) -> list[AlertRow]:
    with context.database.read() as session:
        return list(session.scalars(select(AlertRow).order_by(AlertRow.id)))


def events(context: JobContext) -> list[str]:
    with context.database.read() as session:
        return list(session.scalars(select(NotificationRow.event).order_by(NotificationRow.id)))


@pytest.mark.parametrize(
    ("invalid", "total", "is_open", "active", "severity"),
    [
        (5, 100, False, False, "warning"),
        (6, 100, False, True, "warning"),
        (20, 100, False, True, "warning"),
        (21, 100, False, True, "critical"),
        (19, 19, False, False, "critical"),
        (0, 0, False, False, "warning"),
        (5, 100, True, True, "warning"),
        (4, 100, True, False, "warning"),
    ],
)
def test_the_share_of_invalid_requests(
    invalid: int, total: int, is_open: bool, active: bool, severity: str
) -> None:
    share = InvalidShare(invalid, total)
    condition = invalid_share_condition(share, 5, NOTHING, LIMITS, is_open)
    of_few_clients = invalid_share_condition(share, 4, NOTHING, LIMITS, is_open)
    assert not of_few_clients.active
    assert (condition.active, condition.severity) == (active, severity)


def test_a_share_takes_two_hundred_requests_of_twenty_clients(settings: JobSettings) -> None:
    limits = ShareLimits.of(JobSettings(var_dir=settings.store.var_dir).alerts)
    assert (limits.min_requests, limits.min_clients) == (200, 20)


def test_the_summary_has_the_numbers() -> None:
    condition = invalid_share_condition(InvalidShare(25, 200), 5, NOTHING, LIMITS, False)
    assert condition.summary == (
        "12.5 % of the last 200 requests in 24 hours were refused or flagged (limit 5 %)."
    )


def test_the_evidence_names_reasons_and_clients(context: JobContext, traffic: Any) -> None:
    traffic.refused("ip:198.51.100.9", 3)
    flagged = traffic.flagged("ip:203.0.113.1", 2)
    traffic.refused("ip:203.0.113.1", 9, minutes_ago=25 * 60)
    period = Period.until(context.now, timedelta(hours=24))
    with context.database.read() as session:
        listed = invalid_requests(session, period, most=2)
    assert listed.reasons == (("truncated", 3), ("no_person_found", 2))
    assert listed.clients == (("ip:198.51.100.9", 3), ("ip:203.0.113.1", 2))
    assert listed.request_ids == (flagged[1].request_id, flagged[0].request_id)


def test_fires_once_escalates_once_and_resolves(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    traffic.refused("ip:198.51.100.9", 4)
    assert run(context).sentence == "1 alert fired, 0 resolved, 1 open."
    assert run(context).sentence == "0 alerts fired, 0 resolved, 1 open."
    traffic.refused("ip:198.51.100.9", 20)
    run(context)
    run(context)
    [alert] = alerts(context)
    assert (alert.severity, alert.threshold) == ("critical", 0.2)
    tomorrow = replace(context, now=context.now + timedelta(hours=25))
    assert run(tomorrow).sentence == "0 alerts fired, 1 resolved, 0 open."
    assert events(context) == [Event.FIRING, Event.ESCALATED, Event.RESOLVED]


def fail(_context: JobContext) -> JobOutcome:
    raise OSError("The disk is full.")


def succeed(_context: JobContext) -> JobOutcome:
    return JobOutcome("Done.")


def test_a_failed_job_raises_an_alert_until_it_runs_again(context: JobContext) -> None:
    run_quietly("retrain", fail, context)
    run(context)
    [alert] = alerts(context)
    assert alert.fingerprint == "job_failed:retrain"
    assert "unexpected fault (OSError: The disk is full)" in alert.summary
    later = replace(context, now=context.now + timedelta(minutes=1))
    run_quietly("retrain", succeed, later)
    run(later)
    assert events(context) == [Event.FIRING, Event.RESOLVED]


def test_failing_mail_raises_no_alert_about_itself(context: JobContext) -> None:
    run_quietly("notify", fail, context)
    assert run(context).rows == 0


def test_an_interrupted_run_counts_as_failed(context: JobContext) -> None:
    with context.database.write() as session:
        start_run(session, "scan", context.now)
    with context.database.write() as session:
        assert fail_interrupted_runs(session, context.now) == 1
    run(context)
    assert "interrupted" in alerts(context)[0].summary

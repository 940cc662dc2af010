"""Alerts about the service behind a proxy: from records to alerts, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from detectors.verdict import Verdict
from jobs.alerting.alerts import run
from jobs.context import JobContext
from store.requests.record_store import add_records
from store.requests.records import RequestRecord, Stage
from store.tables.work_tables import AlertRow
from tests.makers import make_record

CASES = {
    "upstream_gone": {"status": 502, "reasons": ("upstream_failed",)},
    "upstream_slow": {"status": 504, "reasons": ("upstream_failed",)},
    "upstream_refusing": {"status": 500, "reasons": ("answer_not_read",)},
    "upstream_unread": {"status": 200, "reasons": ("answer_not_read",)},
}
REFUSED = {"status": 502, "reasons": ("answer_not_read",), "verdict": Verdict.REFUSE}
each_case = pytest.mark.parametrize("rule", CASES)


def _record(context: JobContext, **changes: object) -> RequestRecord:
    received_at = context.now - timedelta(minutes=1)
    usual = make_record(route="proxy", received_at=received_at, stage=Stage.GATE)
    return replace(usual, **changes)  # type: ignore[arg-type]


def _add(context: JobContext, *records: RequestRecord) -> None:
    with context.database.write() as session:
        add_records(session, records)


def _rules(context: JobContext) -> dict[str, AlertRow]:
    with context.database.read() as session:
        return {alert.rule: alert for alert in session.scalars(select(AlertRow))}


@each_case
def test_many_pictures_of_one_fate_fire_one_alert_which_resolves(
    context: JobContext, rule: str
) -> None:
    fine = [_record(context, stage=Stage.PARSED) for _ in range(4)]
    _add(context, *fine)
    assert run(context).sentence == "0 alerts fired, 0 resolved, 0 open."
    _add(context, *(_record(context, **CASES[rule]) for _ in range(2)))
    assert run(context).sentence == "1 alert fired, 0 resolved, 1 open."
    alert = _rules(context)[rule]
    assert alert.severity == "warning"
    assert alert.value == pytest.approx(1 / 3)
    assert "Of 6 pictures that went to the service within 15 minutes 2 had" in (
        alert.summary.replace("were", "had")
    )
    later = replace(context, now=context.now + timedelta(minutes=20))
    assert run(later).sentence == "0 alerts fired, 1 resolved, 0 open."


def test_refused_answers_are_unread_and_nothing_works_is_critical(context: JobContext) -> None:
    _add(context, *(_record(context, **REFUSED) for _ in range(5)))
    run(context)
    assert _rules(context)["upstream_unread"].severity == "critical"


@pytest.mark.parametrize(
    "changes",
    [
        {"reasons": ("unsupported_type",), "verdict": Verdict.REFUSE, "status": 415},
        {"reasons": ("not_passed_on",), "status": 415},
        {"reasons": ("overloaded",), "stage": Stage.ADMISSION, "status": 503},
        {"reasons": ("answer_not_read",), "status": 422},
        {"reasons": ("not_measured",)},
        {"reasons": ("upstream_failed",), "status": 502, "route": "api"},
    ],
    ids=lambda changes: str(changes["reasons"][0]),
)
def test_what_is_no_fault_of_the_service_fires_nothing(
    context: JobContext, changes: dict[str, object]
) -> None:
    _add(context, *(_record(context, **changes) for _ in range(10)))
    run(context)
    assert not {rule for rule in _rules(context) if rule.startswith("upstream_")}


def test_a_few_pictures_fire_nothing(context: JobContext) -> None:
    _add(context, *(_record(context, **CASES["upstream_gone"]) for _ in range(4)))
    assert run(context).sentence == "0 alerts fired, 0 resolved, 0 open."

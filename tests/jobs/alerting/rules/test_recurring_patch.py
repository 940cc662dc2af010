"""The alert about a recurring patch: from the list to the mail, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select

from detectors.patches.patches import Patch
from jobs.alerting.alerts import run
from jobs.context import JobContext
from store.alerts.alerts import Event
from store.decisions.decisions import Kind, NewDecision, Scope, add_decision, revoke
from store.decisions.pictures.listed_patches import patch_evidence
from store.tables.work_tables import AlertRow
from tests.jobs.alerting.channels.test_mail import mail_of, parsed

IDS = [f"00000000-0000-4000-8000-{number:012}" for number in range(7)]


@pytest.fixture
def listed(context: JobContext) -> Callable[..., int]:
    """Puts a patch on the list; gives the decision's key."""

    def put(origin: str = "policy") -> int:
        patch = Patch(np.zeros((24, 24, 3), np.uint8), 0.1)
        new = NewDecision(
            kind=Kind.BLOCK,
            scope=Scope.PATCH,
            value=patch.digest,
            scenario="recurring_patch",
            origin=origin,
            reason="A test.",
            created_by="policy",
            until=context.now + timedelta(days=30),
            simulated=True,
            evidence={**patch_evidence(patch, 0.7), "request_ids": IDS},
        )
        with context.database.write() as session:
            return add_decision(session, new, context.now).id

    return put


def alert_of(context: JobContext) -> AlertRow:
    with context.database.read() as session:
        return session.scalars(select(AlertRow)).one()


def test_a_new_patch_alerts_for_a_day(context: JobContext, listed: Callable[..., int]) -> None:
    assert run(context).sentence == "0 alerts fired, 0 resolved, 0 open."
    decision = listed()
    assert run(context).sentence == "1 alert fired, 0 resolved, 1 open."
    alert = alert_of(context)
    assert (alert.rule, alert.severity, alert.value) == ("recurring_patch", "warning", 1.0)
    assert "1 patch recurs in 7 flagged pictures and in no ordinary one" in alert.summary
    assert alert.evidence["decisions"] == [decision]
    assert alert.evidence["request_ids"] == IDS[:5]
    later = replace(context, now=context.now + timedelta(hours=25))
    assert run(later).sentence == "0 alerts fired, 1 resolved, 0 open."


def test_a_revoked_patch_resolves_the_alert(
    context: JobContext, listed: Callable[..., int]
) -> None:
    decision = listed()
    run(context)
    with context.database.write() as session:
        revoke(session, decision, "ada", "Our brand.", context.now)
    assert run(context).sentence == "0 alerts fired, 1 resolved, 0 open."


def test_what_an_analyst_listed_is_no_news(context: JobContext, listed: Callable[..., int]) -> None:
    listed("analyst")
    assert run(context).sentence == "0 alerts fired, 0 resolved, 0 open."


def test_the_mail_says_what_to_look_at(context: JobContext, listed: Callable[..., int]) -> None:
    listed()
    run(context)
    alert = alert_of(context)
    message, text, _ = parsed(mail_of(context, alert, Event.FIRING, {}))
    assert message["Subject"] == "[Maskwatch] FIRING warning: 1 recurring patch on the blacklist"
    assert "Revoke the block with a reason" in text
    assert "MASKWATCH_SIMULATE_BLOCKS=false" in text
    assert f"/request?id={IDS[0]}" in text
    alert.resolved_at = context.now
    message, _, _ = parsed(mail_of(context, alert, Event.RESOLVED, {}))
    assert str(message["Subject"]).endswith("no new recurring patch")

"""Alerts about what recurs in flagged pictures: from the list to the mail, on both databases."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select

from detectors.patches.patches import Patch
from detectors.perturbations.residuals import CHANNELS, GRID
from detectors.perturbations.signatures import Signature
from jobs.alerting.alerts import run
from jobs.context import JobContext
from store.alerts.alerts import Event
from store.decisions.decisions import NewDecision, add_decision, revoke
from store.decisions.pictures.listed_patches import patch_evidence
from store.decisions.pictures.listed_perturbations import signature_evidence
from store.decisions.scopes import Kind, Scope
from store.tables.work_tables import AlertRow
from tests.jobs.alerting.channels.test_mail import mail_of, parsed

IDS = [f"00000000-0000-4000-8000-{number:012}" for number in range(7)]
PATCH = Patch(np.zeros((24, 24, 3), np.uint8), 0.1)
SIGNATURE = Signature(np.ones((CHANNELS, GRID, GRID), np.int8))


@dataclass(frozen=True)
class Sort:
    """One sort of thing that recurs, and what the alert says of it."""

    scope: Scope
    digest: str
    evidence: Mapping[str, object]
    summary: str
    advice: str

    @property
    def rule(self) -> str:
        return f"recurring_{self.scope.value}"


SORTS = [
    Sort(
        Scope.PATCH,
        PATCH.digest,
        patch_evidence(PATCH, 0.7),
        "1 patch recurs in 7 flagged pictures and in no ordinary one",
        "Revoke the block with a reason",
    ),
    Sort(
        Scope.PERTURBATION,
        SIGNATURE.digest,
        signature_evidence(SIGNATURE, 7.0),
        "1 perturbation recurs in 7 flagged pictures of different content and in no ordinary one",
        "revoke the block with a reason",
    ),
]


@pytest.fixture(params=SORTS, ids=lambda sort: sort.scope.value)
def sort(request: pytest.FixtureRequest) -> Sort:
    made: Sort = request.param
    return made


@pytest.fixture
def listed(context: JobContext, sort: Sort) -> Callable[..., int]:
    """Puts one of the sort on the list; gives the decision's key."""

    def put(origin: str = "policy") -> int:
        new = NewDecision(
            kind=Kind.BLOCK,
            scope=sort.scope,
            value=sort.digest,
            scenario=sort.rule,
            origin=origin,
            reason="A test.",
            created_by="policy",
            until=context.now + timedelta(days=30),
            simulated=True,
            evidence={**sort.evidence, "request_ids": IDS},
        )
        with context.database.write() as session:
            return add_decision(session, new, context.now).id

    return put


def alert_of(context: JobContext) -> AlertRow:
    with context.database.read() as session:
        return session.scalars(select(AlertRow)).one()


def test_a_new_one_alerts_for_a_day(
    context: JobContext, sort: Sort, listed: Callable[..., int]
) -> None:
    assert run(context).sentence == "0 alerts fired, 0 resolved, 0 open."
    decision = listed()
    assert run(context).sentence == "1 alert fired, 0 resolved, 1 open."
    alert = alert_of(context)
    assert (alert.rule, alert.severity, alert.value) == (sort.rule, "warning", 1.0)
    assert sort.summary in alert.summary
    assert alert.evidence["decisions"] == [decision]
    assert alert.evidence["request_ids"] == IDS[:5]
    later = replace(context, now=context.now + timedelta(hours=25))
    assert run(later).sentence == "0 alerts fired, 1 resolved, 0 open."


def test_a_revoked_one_resolves_the_alert(context: JobContext, listed: Callable[..., int]) -> None:
    decision = listed()
    run(context)
    with context.database.write() as session:
        revoke(session, decision, "ada", "Our brand.", context.now)
    assert run(context).sentence == "0 alerts fired, 1 resolved, 0 open."


def test_what_an_analyst_listed_is_no_news(context: JobContext, listed: Callable[..., int]) -> None:
    listed("analyst")
    assert run(context).sentence == "0 alerts fired, 0 resolved, 0 open."


def test_the_mail_says_what_to_look_at(
    context: JobContext, sort: Sort, listed: Callable[..., int]
) -> None:
    listed()
    run(context)
    alert, word = alert_of(context), sort.scope.value
    message, text, _ = parsed(mail_of(context, alert, Event.FIRING, {}))
    subject = f"[Maskwatch] FIRING warning: 1 recurring {word} on the blacklist"
    assert message["Subject"] == subject
    assert sort.advice in text
    assert "MASKWATCH_SIMULATE_BLOCKS=false" in text
    assert f"/request?id={IDS[0]}" in text
    alert.resolved_at = context.now
    message, _, _ = parsed(mail_of(context, alert, Event.RESOLVED, {}))
    assert str(message["Subject"]).endswith(f"no new recurring {word}")

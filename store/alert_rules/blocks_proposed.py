"""The alert rule ``blocks_proposed``: jobs may not block by themselves what they would block."""

from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from store.alert_rules.rule import (
    AlertRule,
    Judgement,
    Surroundings,
    Unit,
    UnitKind,
    count_title,
)
from store.alerts.alerts import WARNING, Condition
from store.decisions.proposals import Proposal, list_open_proposals
from store.phrases import phrase_count

BLOCKS_PROPOSED = "blocks_proposed"
_ATLAS, _OWASP = "AML.T0043", "ML01:2023"
_MAX_EXAMPLES = 5


def look_at_proposals(around: Surroundings) -> Judgement:
    """Judge the proposals that wait now."""
    return lambda session: _conditions(session, around)


def proposal_condition(proposals: Sequence[Proposal]) -> Condition:
    """Blocks wait for a person."""
    request_ids = [
        str(request_id)
        for each in proposals
        for request_id in each.evidence.get("request_ids", ())[:1]
    ]
    return Condition(
        fingerprint=BLOCKS_PROPOSED,
        rule=BLOCKS_PROPOSED,
        severity=WARNING,
        active=bool(proposals),
        value=float(len(proposals)),
        threshold=0.0,
        summary=_summary(proposals),
        atlas=_ATLAS,
        owasp=_OWASP,
        evidence={
            "proposals": [each.id for each in proposals],
            "clients": [[each.value, each.minutes] for each in proposals[:_MAX_EXAMPLES]],
            "request_ids": request_ids[:_MAX_EXAMPLES],
        },
    )


def _conditions(session: Session, around: Surroundings) -> Iterator[Condition]:
    yield proposal_condition(list_open_proposals(session, around.now))


def _summary(proposals: Sequence[Proposal]) -> str:
    if not proposals:
        return "No block waits for a person."
    verb = "waits" if len(proposals) == 1 else "wait"
    return (
        f"{phrase_count(len(proposals), 'block')} {verb} for a person. {proposals[0].limit_reached}"
    )


RULE = AlertRule(
    code=BLOCKS_PROPOSED,
    words="Blocks proposed",
    meaning="Jobs would block more clients or traffic than they may without a person.",
    unit=Unit(UnitKind.COUNT, "proposed block"),
    firing=count_title("proposed block", "to decide on"),
    resolved=lambda _: "no block waits for a person",
    next_steps=(
        "Look at the proposals on the blacklist page, with the requests that led to each: is it an "
        "attack of many, or does a rule take honest clients for attackers?",
        "Accept those that are attacks, and decline the others with a reason.",
        "What nobody answers expires after a day; the alert resolves when nothing waits.",
    ),
    runbook="blocks_proposed",
    look=look_at_proposals,
)

"""What ``maskwatch decisions`` changes: add, allow, revoke, enable, accept, decline."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from jobs.commands import preview_blocks
from jobs.settings import JobSettings
from store.audit.actors import command_line, operator
from store.decisions.by_hand import decision_by_hand, warn_of_block
from store.decisions.decisions import BY_COMMAND, DecisionError, NewDecision, add_decision, revoke
from store.decisions.proposals import accept_proposal, decline_proposal
from store.decisions.scenarios import (
    LISTED_FROM_NOW_ON,
    LISTING_SCENARIOS,
    check_off,
    enable_scenario,
)
from store.decisions.scopes import Kind, Scope
from store.decisions.standing import describe_new, describe_rest
from store.engine.existing import existing_database
from store.families.families import check_family
from store.settings import ReportSettings, StoreSettings

Result = TypeVar("Result")
_MINUTE = 60


def build_decision(
    kind: Kind,
    scope: Scope,
    value: str,
    reason: str,
    until: datetime,
    now: datetime,
    family: int | None = None,
) -> NewDecision:
    """The decision that somebody types on the server.

    Raises:
        DecisionError: the value is not of the scope, or it ends in the past.
        ReasonError: no reason was given, or none that can be kept.
    """
    if until <= now:
        raise DecisionError(
            f"A decision must end in the future: {until:%Y-%m-%d %H:%M} UTC is over."
        )
    new = decision_by_hand(
        kind=kind,
        scope=scope,
        value=value,
        minutes=max(1, round((until - now).total_seconds() / _MINUTE)),
        reason=reason,
        who=operator(),
        simulated=False,
        now=now,
    )
    named = None if family is None else str(family)
    return replace(new, origin=BY_COMMAND, until=until, family=named)


def save_decision(settings: ReportSettings, new: NewDecision, now: datetime, *, force: bool) -> str:
    """Append a decision; says what holds now.

    Raises:
        MaskwatchError: it hits a trusted proxy and is not forced, there is no such family, or the
            database cannot be used.
    """
    warning = warn_of_block(new, settings.proxies.trusted_proxies)
    if warning is not None and not force:
        raise DecisionError(warning.replace("Save again", "Add --force"))
    return _change(settings, lambda session: _add(session, new, now))


def _add(session: Session, new: NewDecision, now: datetime) -> str:
    if new.family is not None:
        check_family(session, int(new.family))
    row = add_decision(session, new, now)
    end = f"{row.until:%Y-%m-%d %H:%M} UTC"
    said = f"Decision {row.id}: the {row.kind} of {row.value} holds until {end}."
    return f"{said} {describe_new(session, row, now)}".rstrip()


def end_decision(settings: StoreSettings, decision_id: int, reason: str, now: datetime) -> str:
    """Revoke a decision; says what holds for its value all the same.

    Raises:
        MaskwatchError: it is not active any more, or the database cannot be used.
    """
    who = operator()

    def end(session: Session) -> str:
        row = revoke(session, decision_id, who, reason, now, command_line(who))
        return f"Decision {row.id} is revoked. {describe_rest(session, row, now)}".rstrip()

    return _change(settings, end)


def list_hits(settings: JobSettings, scenario: str, now: datetime) -> Iterator[str]:
    """Whom the next ``decide`` hits once a scenario is turned on.

    Raises:
        MaskwatchError: there is no such scenario, it is on, or the database cannot be read.
    """
    with existing_database(settings) as database, database.read() as session:
        check_off(session, scenario)
    if scenario in LISTING_SCENARIOS:
        yield LISTED_FROM_NOW_ON
        return
    hits = preview_blocks(settings, now, scenario).describe_hits()
    yield from hits or ["The next `decide` will block nobody by it."]


def turn_on(settings: StoreSettings, scenario: str, reason: str, now: datetime) -> str:
    """Turn a scenario on.

    Raises:
        MaskwatchError: it is on already, no reason was given, or the database cannot be used.
    """
    who = operator()
    _change(
        settings,
        lambda session: enable_scenario(session, scenario, who, reason, command_line(who), now),
    )
    return f"The scenario {scenario} is on: the jobs enforce its blocks from now on."


def accept(settings: StoreSettings, proposal_id: int, reason: str, now: datetime) -> str:
    """Make the block that was proposed.

    Raises:
        MaskwatchError: the proposal waits no longer, or the database cannot be used.
    """
    who = operator()
    row = _change(
        settings,
        lambda session: accept_proposal(session, proposal_id, who, reason, BY_COMMAND, now),
    )
    return (
        f"Decision {row.id}: the block of {row.value} holds until {row.until:%Y-%m-%d %H:%M} UTC."
    )


def decline(settings: StoreSettings, proposal_id: int, reason: str, now: datetime) -> str:
    """Say that nobody is to be blocked.

    Raises:
        MaskwatchError: the proposal waits no longer, or the database cannot be used.
    """
    who = operator()
    actor = command_line(who)
    _change(
        settings,
        lambda session: decline_proposal(session, proposal_id, who, reason, actor, now),
    )
    return f"Proposal {proposal_id} is declined."


def _change(settings: StoreSettings, work: Callable[[Session], Result]) -> Result:
    with existing_database(settings) as database, database.write() as session:
        return work(session)

"""``maskwatch decisions list``: what the blacklist page has under *Active*."""

import json
from datetime import datetime

from maskwatch.commands.printable import escape_unprintable
from store.decisions.proposals import Proposal, list_open_proposals
from store.engine.existing import existing_database
from store.pages.decision_views import DecisionView, list_active_decisions
from store.settings import StoreSettings


def read_decisions(settings: StoreSettings, now: datetime) -> tuple[DecisionView, ...]:
    """The decisions that hold, newest first.

    Raises:
        MaskwatchError: the database cannot be used.
    """
    with existing_database(settings) as database, database.read() as session:
        return list_active_decisions(session, now)


def read_proposals(settings: StoreSettings, now: datetime) -> tuple[Proposal, ...]:
    """The proposals that wait for an answer, newest first.

    Raises:
        MaskwatchError: the database cannot be used.
    """
    with existing_database(settings) as database, database.read() as session:
        return list_open_proposals(session, now)


def describe(view: DecisionView) -> dict[str, object]:
    """What JSON has; times in ISO 8601, UTC. The evidence, which may hold pixels, is left out."""
    return {
        "id": view.id,
        "kind": view.kind,
        "scope": view.scope,
        "value": view.value,
        "scenario": view.scenario,
        "origin": view.origin,
        "simulated": view.simulated,
        "reason": view.reason,
        "family": view.family,
        "model_digest": view.model_digest,
        "created_by": view.created_by,
        "created_at": view.created_at.isoformat(),
        "until": view.until.isoformat(),
    }


def to_json(view: DecisionView) -> str:
    """One JSON object."""
    return json.dumps(describe(view))


def to_text(view: DecisionView) -> str:
    """One line for people."""
    kind = f"{view.kind} (simulated)" if view.simulated else view.kind
    end = f"until {view.until:%Y-%m-%d %H:%M} UTC"
    text = f"{view.id:>6}  {kind:<17} {view.scope} {view.value}  {end}, by {view.created_by}: "
    return escape_unprintable(text + view.reason)


def proposal_to_json(proposal: Proposal) -> str:
    """One JSON object."""
    return json.dumps(
        {
            "id": proposal.id,
            "scope": proposal.scope,
            "value": proposal.value,
            "scenario": proposal.scenario,
            "reason": proposal.reason,
            "limit_reached": proposal.limit_reached,
            "minutes": proposal.minutes,
            "family": proposal.family,
            "request_ids": proposal.evidence.get("request_ids", []),
            "created_at": proposal.created_at.isoformat(),
            "expires_at": proposal.expires_at.isoformat(),
        }
    )


def proposal_to_text(proposal: Proposal) -> str:
    """One line for people."""
    text = (
        f"{proposal.id:>6}  block of {proposal.scope} {proposal.value} for {proposal.minutes} min"
    )
    end = f"expires {proposal.expires_at:%Y-%m-%d %H:%M} UTC"
    return escape_unprintable(f"{text}, {end}: {proposal.reason} {proposal.limit_reached}")

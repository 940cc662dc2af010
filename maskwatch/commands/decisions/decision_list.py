"""``maskwatch decisions list``: what the blacklist page has under *Active*."""

import json
from datetime import datetime

from maskwatch.commands.printable import escape_unprintable
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


def to_json(view: DecisionView) -> str:
    """One JSON object; times in ISO 8601, UTC. The evidence, which may hold pixels, is left out."""
    return json.dumps(
        {
            "id": view.id,
            "kind": view.kind,
            "scope": view.scope,
            "value": view.value,
            "scenario": view.scenario,
            "origin": view.origin,
            "simulated": view.simulated,
            "reason": view.reason,
            "created_by": view.created_by,
            "created_at": view.created_at.isoformat(),
            "until": view.until.isoformat(),
        }
    )


def to_text(view: DecisionView) -> str:
    """One line for people."""
    kind = f"{view.kind} (simulated)" if view.simulated else view.kind
    end = f"until {view.until:%Y-%m-%d %H:%M} UTC"
    text = f"{view.id:>6}  {kind:<17} {view.scope} {view.value}  {end}, by {view.created_by}: "
    return escape_unprintable(text + view.reason)

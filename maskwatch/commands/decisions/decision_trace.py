"""``maskwatch decisions show``: one decision, what led to it, and what it has refused since."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from maskwatch.commands.decisions.decision_list import describe
from maskwatch.commands.printable import escape_unprintable
from store.decisions.decisions import DecisionError
from store.decisions.traces import Trace, trace_decision
from store.engine.existing import existing_database
from store.pages.decision_views import DecisionView, view_decision
from store.settings import StoreSettings
from store.tables.work_tables import DecisionRow


@dataclass(frozen=True)
class TracedDecision:
    """A decision with its trace."""

    view: DecisionView
    trace: Trace


def read_decision(settings: StoreSettings, decision_id: int, now: datetime) -> TracedDecision:
    """A decision, active or not.

    Raises:
        MaskwatchError: there is none of that number, or the database cannot be used.
    """
    with existing_database(settings) as database, database.read() as session:
        row = session.get(DecisionRow, decision_id)
        if row is None:
            raise DecisionError(f"There is no decision {decision_id}.")
        return TracedDecision(view_decision(row), trace_decision(session, row, now))


def to_json(traced: TracedDecision) -> str:
    """One JSON object."""
    view, trace = traced.view, traced.trace
    return json.dumps(
        {
            **describe(view),
            "revoked_at": view.revoked_at and view.revoked_at.isoformat(),
            "revoked_by": view.revoked_by,
            "revoked_reason": view.revoked_reason,
            "request_ids": trace.request_ids,
            "refusals": trace.refusals,
            "refused_request_ids": trace.refused_ids,
        }
    )


def to_text(traced: TracedDecision) -> Iterator[str]:
    """Lines for people."""
    view, trace = traced.view, traced.trace
    simulated = ", simulated" if view.simulated else ""
    yield f"Decision {view.id}: {view.kind} of {view.scope} {view.value}{simulated}"
    yield f"Why: {escape_unprintable(view.reason)} ({view.scenario}, {view.origin})"
    yield f"Made: {_time(view.created_at)} by {view.created_by}"
    yield f"Until: {_time(view.until)}"
    if view.family is not None:
        yield f"Family: {view.family}"
    if view.model_digest is not None:
        yield f"Outlier model then: {view.model_digest[:12]}"
    if view.revoked_at is not None:
        reason = escape_unprintable(view.revoked_reason or "")
        yield f"Revoked: {_time(view.revoked_at)} by {view.revoked_by}: {reason}"
    yield f"Led to it: {_list(trace.request_ids)}"
    more = "" if trace.is_complete else " or more"
    yield f"Refused since: {trace.refusals}{more}; with a record: {_list(trace.refused_ids)}"


def _list(request_ids: tuple[str, ...]) -> str:
    return ", ".join(request_ids) or "none"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"

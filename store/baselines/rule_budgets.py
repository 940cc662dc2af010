"""Alarm budgets as they were counted last, by source and rule."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.baseline.budgets import RuleCount
from store.audit.audit_log import Action, Entry, append
from store.engine.change_marks import Mark, move_mark
from store.phrases import phrase_share
from store.tables.baseline_tables import RuleBudgetRow


def read_demoted(session: Session, source: str) -> frozenset[str]:
    """Codes of the rules that are demoted for a source."""
    statement = select(RuleBudgetRow.rule).where(
        RuleBudgetRow.source == source, RuleBudgetRow.is_demoted
    )
    return frozenset(session.scalars(statement))


def list_budgets(session: Session, source: str | None = None) -> tuple[RuleBudgetRow, ...]:
    """The budgets of all sources or of one, those that are used most first."""
    statement = select(RuleBudgetRow).order_by(RuleBudgetRow.share.desc(), RuleBudgetRow.rule)
    if source is not None:
        statement = statement.where(RuleBudgetRow.source == source)
    return tuple(session.scalars(statement))


def keep_counts(
    session: Session,
    source: str,
    counts: Sequence[RuleCount],
    budget: float,
    actor: str,
    now: datetime,
) -> list[str]:
    """Write what was counted; the codes of the rules that were demoted or promoted by it."""
    changes = []
    for count in counts:
        row = session.get(RuleBudgetRow, (source, count.code))
        was_demoted = row is not None and row.is_demoted
        if row is None:
            row = RuleBudgetRow(source=source, rule=count.code, since=now)
            session.add(row)
        row.share, row.budget, row.requests = count.share, budget, count.requests
        row.clients, row.firing_clients = count.clients, count.firing_clients
        row.is_demoted, row.counted_at = count.is_demoted, now
        if was_demoted != count.is_demoted:
            row.since = now
            changes.append(count.code)
            _note(session, source, count, actor, now)
    if changes:
        move_mark(session, Mark.SOURCES)
    return changes


def describe_budget(row: RuleBudgetRow) -> str:
    """What a rule does on a source, and what follows from it, in one sentence."""
    effect = (
        "it is recorded and no longer flags"
        if row.is_demoted
        else f"it keeps its budget of {phrase_share(row.budget)}, and flags"
    )
    return (
        f"`{row.rule}` fires on {100 * row.share:.3g} % of the requests of {row.firing_clients} of "
        f"{row.clients} clients: {effect}."
    )


def _note(session: Session, source: str, count: RuleCount, actor: str, now: datetime) -> None:
    action = Action.RULE_DEMOTED if count.is_demoted else Action.RULE_PROMOTED
    details = {
        "source": source,
        "share": round(count.share, 6),
        "clients": count.clients,
        "firing_clients": count.firing_clients,
    }
    append(session, Entry(actor, action, f"rule {count.code}", details), now)

"""Clients that attack, and what was decided about them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from jobs.context import JobContext
from store.decisions.access_list import read_access_list
from store.tables.work_tables import DecisionRow

CLIENT = "ip:198.51.100.9"


def later(context: JobContext, **delta: float) -> JobContext:
    return replace(context, now=context.now + timedelta(**delta))


def blocked(context: JobContext, client: str = CLIENT) -> bool:
    with context.database.read() as session:
        access = read_access_list(session, context.now)
    return access.is_blocked(context.now, [client])


def decisions(context: JobContext) -> list[DecisionRow]:
    with context.database.read() as session:
        return list(session.scalars(select(DecisionRow).order_by(DecisionRow.id)))


def simulating(context: JobContext) -> JobContext:
    settings = context.settings.model_copy(update={"simulate_blocks": True})
    return replace(context, settings=settings)


def attack(traffic: Any, count: int = 4, client: str = CLIENT, **more: Any) -> list[Any]:
    """Crafted pictures of one client."""
    return list(traffic.flagged(client, count, reason="adversarial_picture", **more))

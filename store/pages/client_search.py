"""Clients by a part of their name."""

from datetime import datetime

from sqlalchemy import Select, Subquery, select
from sqlalchemy.orm import Session

from store.counts.period_counts import since_roll_up
from store.tables.request_tables import RequestRow
from store.tables.roll_up_tables import ClientRow

MAX_CLIENTS = 20
_MAX_NAMES, _MAX_RECORDS = 50_000, 10_000


def find_clients(session: Session, part: str, since: datetime) -> tuple[tuple[str, ...], bool]:
    """The clients since a time whose names contain a text, and whether there are still more.

    The name itself comes first, whether there is such a client or not; then those seen last. Names
    are looked for among the newest tens of thousands.
    """
    # PostgreSQL refuses the character that no stored name can have.
    part = part.replace("\0", "")
    names = dict.fromkeys(
        (part, *_search_records(session, part, since), *_search_roll_ups(session, part, since))
    )
    return tuple(names)[:MAX_CLIENTS], len(names) > MAX_CLIENTS


def _search_roll_ups(session: Session, part: str, since: datetime) -> list[str]:
    newest = (
        select(ClientRow.client, ClientRow.last_seen)
        .where(ClientRow.last_seen >= since)
        .order_by(ClientRow.last_seen.desc())
        .limit(_MAX_NAMES)
        .subquery()
    )
    return list(session.scalars(_match_names(part, newest).order_by(newest.c.last_seen.desc())))


def _search_records(session: Session, part: str, since: datetime) -> list[str]:
    """Clients of records that are not rolled up yet."""
    newest = (
        select(RequestRow.client)
        .where(since_roll_up(session, since))
        .order_by(RequestRow.id.desc())
        .limit(_MAX_RECORDS)
        .subquery()
    )
    return list(session.scalars(_match_names(part, newest).group_by(newest.c.client)))


def _match_names(part: str, newest: Subquery) -> Select[str]:
    name = newest.c.client
    return select(name).where(name.contains(part, autoescape=True)).limit(MAX_CLIENTS)

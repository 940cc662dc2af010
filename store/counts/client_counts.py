"""How many clients a period had."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.counts.period_counts import since_roll_up
from store.counts.periods import Period
from store.requests.request_keys import arrived_since
from store.tables.request_tables import RequestRow
from store.tables.roll_up_tables import ClientRow


def count_clients(session: Session, period: Period) -> int:
    """Those that were last seen since then, and new ones."""
    if not period.from_roll_ups:
        recent = arrived_since(period.since)
        return session.scalar(select(func.count(RequestRow.client.distinct())).where(recent)) or 0
    known = select(ClientRow.client).where(ClientRow.last_seen >= period.since)
    return (
        session.scalar(
            select(
                select(func.count()).select_from(known.subquery()).scalar_subquery()
                + select(func.count(RequestRow.client.distinct()))
                .where(
                    since_roll_up(session, period.since),
                    ~known.where(ClientRow.client == RequestRow.client).exists(),
                )
                .scalar_subquery()
            )
        )
        or 0
    )

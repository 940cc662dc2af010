"""Read model of what a person should vet: the oddest requests that outlier models learn from.

They passed, no scan selected them, and nobody said anything of them: each moves the tail that the
next attack is compared with, and may itself be one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from store.decisions.clients.client_decisions import read_blocked_senders
from store.requests.record_store import add_families, is_vetted
from store.requests.records import Stage
from store.requests.request_keys import key_of
from store.requests.row_bounds import Bounds, LeftOut
from store.tables.family_tables import FeedbackRow
from store.tables.request_tables import RequestRow, ScoreRow

SPAN = timedelta(days=7)
MAX_PROPOSALS = 100
_NEWEST = 20_000
# Whoever sends much must not fill the list.
_PER_CLIENT, _PER_NETWORK, _PER_PICTURE = 2, 4, 2


@dataclass(frozen=True)
class OddVetted:
    """A request to be confirmed or dismissed.

    Attributes:
        p_value: the smallest that a model gave.
    """

    request_id: str
    received_at: datetime
    client: str
    p_value: float


def propose_vetted(session: Session, now: datetime, most: int) -> tuple[OddVetted, ...]:
    """The oddest of the newest 20,000 scored requests of seven days that nobody judged."""
    bounds = Bounds(_PER_CLIENT, _PER_NETWORK, _PER_PICTURE, min(most, MAX_PROPOSALS))
    left_out = LeftOut((), read_blocked_senders(session))
    with session.execute(_select_odd(now).execution_options(yield_per=1000)) as result:
        return tuple(_read(row) for row in bounds.choose(result, left_out))


def _select_odd(now: datetime) -> Select[Any]:
    newest = (
        select(ScoreRow.request_pk, func.min(ScoreRow.p_value).label("p_value"))
        .where(ScoreRow.request_pk >= key_of(now - SPAN))
        .group_by(ScoreRow.request_pk)
        .order_by(ScoreRow.request_pk.desc())
        .limit(_NEWEST)
        .subquery()
    )
    was_judged = exists().where(FeedbackRow.request_pk == RequestRow.id)
    columns = (RequestRow.request_id, RequestRow.received_at, newest.c.p_value)
    return (
        add_families(select(RequestRow.id, RequestRow.client, *columns))
        .join(newest, newest.c.request_pk == RequestRow.id)
        .where(RequestRow.stage == Stage.PARSED.value, is_vetted(), ~was_judged)
        .order_by(newest.c.p_value, RequestRow.id.desc())
    )


def _read(row: Sequence[Any]) -> OddVetted:
    _, client, request_id, received_at, p_value, *_ = row
    return OddVetted(request_id, received_at, client, p_value)

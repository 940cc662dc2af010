"""What the invalid requests of a window have in common: reasons, clients, examples."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Text, and_, cast, func, select
from sqlalchemy.orm import Session

from detectors.verdict import Verdict
from store.keys import arrived_since
from store.records import Stage
from store.tables import RequestRow


@dataclass(frozen=True)
class InvalidRequests:
    """The largest groups among the requests that did not pass, admission refusals left out.

    Attributes:
        reasons: the heaviest reason of each request, with counts, most frequent first.
        clients: who sent them, with counts, most frequent first.
        request_ids: the newest of them.
    """

    reasons: tuple[tuple[str, int], ...]
    clients: tuple[tuple[str, int], ...]
    request_ids: tuple[str, ...]


def invalid_requests(session: Session, since: datetime, most: int) -> InvalidRequests:
    """Summarise the invalid requests since a time, at most ``most`` of each kind."""
    invalid = _invalid(since)
    clients = session.execute(
        select(RequestRow.client, func.count())
        .where(invalid)
        .group_by(RequestRow.client)
        .order_by(func.count().desc(), RequestRow.client)
        .limit(most)
    )
    newest = select(RequestRow.request_id).where(invalid).order_by(RequestRow.id.desc())
    return InvalidRequests(
        reasons=_reasons(session, invalid, most),
        clients=tuple((name, count) for name, count in clients),
        request_ids=tuple(session.scalars(newest.limit(most))),
    )


def _reasons(
    session: Session, invalid: ColumnElement[bool], most: int
) -> tuple[tuple[str, int], ...]:
    # PostgreSQL cannot group by JSON, so the few different lists are grouped as text.
    listed = cast(RequestRow.reasons, Text)
    heaviest: Counter[str] = Counter()
    for text, count in session.execute(
        select(listed, func.count()).where(invalid).group_by(listed)
    ):
        reasons = json.loads(text)
        heaviest[reasons[0] if reasons else "no reason recorded"] += count
    return tuple(sorted(heaviest.items(), key=lambda entry: (-entry[1], entry[0]))[:most])


def _invalid(since: datetime) -> ColumnElement[bool]:
    return and_(
        arrived_since(since),
        RequestRow.stage != Stage.ADMISSION.value,
        RequestRow.verdict != Verdict.PASS.value,
    )

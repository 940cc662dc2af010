"""Read model of the traffic page: filtered requests, page by page without OFFSET."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Text, cast, exists, select
from sqlalchemy.orm import Session

from detectors.verdict import Verdict
from store.keys import arrived_since
from store.records import Stage
from store.tables import RequestRow, ScoreRow


@dataclass(frozen=True)
class TrafficFilter:
    """Which requests to list; an empty field does not restrict.

    Attributes:
        client: a part of the client's name.
        reason: code of a rule or refusal.
    """

    since: datetime
    verdicts: tuple[Verdict, ...] = ()
    client: str = ""
    reason: str = ""
    outliers_only: bool = False


@dataclass(frozen=True)
class RequestSummary:
    """One line of a request list."""

    pk: int
    request_id: str
    received_at: datetime
    client: str
    stage: Stage
    verdict: Verdict
    status: int
    reasons: tuple[str, ...]
    outlier: bool


@dataclass(frozen=True)
class TrafficPage:
    """Requests, newest first, and whether there are more on either side."""

    requests: tuple[RequestSummary, ...]
    newer: bool
    older: bool


def traffic_page(
    session: Session,
    wanted: TrafficFilter,
    most: int,
    *,
    before: int | None = None,
    after: int | None = None,
) -> TrafficPage:
    """The newest matching requests; those older than ``before``, or just newer than ``after``.

    ``before`` and ``after`` are primary keys. Keys instead of OFFSET: a deep page costs what the
    first one costs, and requests that arrive meanwhile do not shift it.
    """
    going_back = after is None
    limit = _older(before) if going_back else _newer(after)
    found = _rows(session, (*_conditions(wanted), *limit), most + 1, newest_first=going_back)
    kept = found[:most] if going_back else found[:most][::-1]
    beyond = len(found) > most
    if going_back:
        return TrafficPage(kept, newer=before is not None, older=beyond)
    return TrafficPage(kept, newer=beyond, older=True)


def requests_of_client(
    session: Session, client: str, most: int, until: datetime
) -> tuple[RequestSummary, ...]:
    """A client's latest requests up to a time, newest first."""
    conditions = (RequestRow.client == client, RequestRow.received_at <= until)
    return _rows(session, conditions, most, newest_first=True)


def _conditions(wanted: TrafficFilter) -> tuple[ColumnElement[bool], ...]:
    conditions: list[ColumnElement[bool]] = [arrived_since(wanted.since)]
    if wanted.verdicts:
        conditions.append(RequestRow.verdict.in_([verdict.value for verdict in wanted.verdicts]))
    if wanted.client:
        # PostgreSQL refuses the character that no stored name can have.
        part = wanted.client.replace("\0", "")
        conditions.append(RequestRow.client.contains(part, autoescape=True))
    if wanted.reason:
        codes = cast(RequestRow.reasons, Text)
        conditions.append(codes.contains(f'"{wanted.reason}"', autoescape=True))
    if wanted.outliers_only:
        conditions.append(_is_outlier())
    return tuple(conditions)


def _is_outlier() -> ColumnElement[bool]:
    return exists().where(ScoreRow.request_pk == RequestRow.id, ScoreRow.outlier)


def _older(key: int | None) -> tuple[ColumnElement[bool], ...]:
    return () if key is None else (RequestRow.id < key,)


def _newer(key: int | None) -> tuple[ColumnElement[bool], ...]:
    return () if key is None else (RequestRow.id > key,)


def _rows(
    session: Session, conditions: Sequence[ColumnElement[bool]], most: int, *, newest_first: bool
) -> tuple[RequestSummary, ...]:
    order = RequestRow.id.desc() if newest_first else RequestRow.id.asc()
    rows = session.execute(
        select(RequestRow, _is_outlier()).where(*conditions).order_by(order).limit(most)
    )
    return tuple(summary(row, bool(outlier)) for row, outlier in rows)


def summary(row: RequestRow, outlier: bool) -> RequestSummary:
    """A stored request as one line."""
    return RequestSummary(
        pk=row.id,
        request_id=row.request_id,
        received_at=row.received_at,
        client=row.client,
        stage=Stage(row.stage),
        verdict=Verdict(row.verdict),
        status=row.status,
        reasons=tuple(row.reasons),
        outlier=outlier,
    )

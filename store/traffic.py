"""Read model of the traffic page: filtered requests, page by page without OFFSET.

A page follows one index, the narrowest that its filters allow, and looks at a limited number of its
entries, however few of them match: it then says where it stopped, and the next page goes on there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, select, true, union_all
from sqlalchemy.orm import Session

from detectors.verdict import Verdict
from store.client_names import clients_named
from store.keys import key_of
from store.records import Stage
from store.tables import RequestRow, ScoreRow, reasons_table

_MOST_LOOKED_AT = 10_000
# Without a filter beside the index, only requests that were stored late are passed over.
_FEW = 200


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
    """Requests, newest first, and whether there are more on either side.

    Attributes:
        stopped: the key up to which was looked, if the page is short because few requests match.
        more_clients: whether more clients match than were looked for.
    """

    requests: tuple[RequestSummary, ...]
    newer: bool
    older: bool
    stopped: int | None = None
    more_clients: bool = False


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
    clients, more_clients = (
        clients_named(session, wanted.client, wanted.since) if wanted.client else ((), False)
    )
    search = _Search(wanted, clients, before, after)
    found, stopped = _search(session, search, most + 1)
    page = _page(found, most, stopped, search)
    return replace(page, requests=_with_outliers(session, page.requests), more_clients=more_clients)


def requests_of_client(
    session: Session, client: str, most: int, until: datetime
) -> tuple[RequestSummary, ...]:
    """A client's latest requests up to a time, newest first."""
    rows = session.scalars(
        select(RequestRow)
        .where(RequestRow.client == client, RequestRow.received_at <= until)
        .order_by(RequestRow.id.desc())
        .limit(most)
    )
    return _with_outliers(session, [summary(row, outlier=False) for row in rows])


@dataclass(frozen=True)
class _Search:
    """A filter with the names that match its client, and the side of a key to look on."""

    wanted: TrafficFilter
    clients: tuple[str, ...]
    before: int | None
    after: int | None

    @property
    def newest_first(self) -> bool:
        return self.after is None

    def ordered(self, key: ColumnElement[int]) -> ColumnElement[int]:
        return key.desc() if self.newest_first else key.asc()

    def within(self, key: ColumnElement[int]) -> ColumnElement[bool]:
        return and_(
            key >= key_of(self.wanted.since),
            true() if self.before is None else key < self.before,
            true() if self.after is None else key > self.after,
        )

    def streams(self) -> tuple[Select[tuple[int]], ...]:
        """Keys to look at, from ranges of one index: together all that can match."""
        wanted, table = self.wanted, reasons_table.c
        if wanted.reason:
            return (self._stream(table.request_pk, table.reason == wanted.reason),)
        if wanted.outliers_only:
            found = self._stream(ScoreRow.request_pk.expression, ScoreRow.outlier.expression)
            return (found.group_by(ScoreRow.request_pk),)
        column, values = self._column()
        if column is None:
            return (self._stream(RequestRow.id.expression, true()),)
        return tuple(self._stream(RequestRow.id.expression, column == value) for value in values)

    def _column(self) -> tuple[ColumnElement[str] | None, tuple[str, ...]]:
        if self.clients:
            return RequestRow.client.expression, self.clients
        verdicts = tuple(verdict.value for verdict in self.wanted.verdicts)
        return (RequestRow.verdict.expression if verdicts else None), verdicts

    def _stream(
        self, key: ColumnElement[int], condition: ColumnElement[bool]
    ) -> Select[tuple[int]]:
        return (
            select(key.label("key")).where(condition, self.within(key)).order_by(self.ordered(key))
        )

    def rest(self) -> tuple[ColumnElement[bool], ...]:
        """The filters that the streams leave to be looked at."""
        wanted = self.wanted
        by_index = wanted.reason or wanted.outliers_only
        conditions: list[ColumnElement[bool]] = []
        if wanted.outliers_only and wanted.reason:
            conditions.append(_is_outlier())
        if self.clients and by_index:
            conditions.append(RequestRow.client.in_(self.clients))
        if wanted.verdicts and (self.clients or by_index):
            verdicts = [verdict.value for verdict in wanted.verdicts]
            conditions.append(RequestRow.verdict.in_(verdicts))
        return tuple(conditions)


def _is_outlier() -> ColumnElement[bool]:
    return (
        select(ScoreRow.request_pk)
        .where(ScoreRow.request_pk == RequestRow.id, ScoreRow.outlier)
        .exists()
    )


def _search(session: Session, search: _Search, most: int) -> tuple[list[RequestRow], int | None]:
    """Matching rows in the order of the search, and the key at which it stopped early."""
    streams, rest = search.streams(), search.rest()
    each = max(_MOST_LOOKED_AT // len(streams) if rest else _FEW, most)
    parts = [select(stream.limit(each).subquery().c.key) for stream in streams]
    ends = [_ends(session, part) for part in parts]
    full = [(low if search.newest_first else high) for count, low, high in ends if count == each]
    stopped = (max(full) if search.newest_first else min(full)) if full else None
    low = min((low for count, low, _ in ends if count), default=0)
    high = max((high for count, _, high in ends if count), default=0)
    if stopped is not None:
        low, high = (stopped, high) if search.newest_first else (low, stopped)
    rows = session.scalars(
        select(RequestRow)
        .where(
            RequestRow.id.in_(union_all(*parts)),
            RequestRow.id.between(low, high),
            RequestRow.received_at >= search.wanted.since,
            *rest,
        )
        .order_by(search.ordered(RequestRow.id.expression))
        .limit(most)
    ).all()
    return list(rows), stopped


def _ends(session: Session, part: Select[tuple[int]]) -> tuple[int, int, int]:
    """How many keys a stream has, the smallest and the largest."""
    key = part.subquery().c.key
    count, low, high = session.execute(select(func.count(), func.min(key), func.max(key))).one()
    return count, low or 0, high or 0


def _page(found: list[RequestRow], most: int, stopped: int | None, search: _Search) -> TrafficPage:
    shown = found[:most] if search.newest_first else found[:most][::-1]
    summaries = tuple(summary(row, outlier=False) for row in shown)
    short = stopped if len(found) <= most else None
    beyond = len(found) > most or short is not None
    if search.newest_first:
        return TrafficPage(summaries, search.before is not None, beyond, short)
    return TrafficPage(summaries, beyond, older=True, stopped=short)


def _with_outliers(
    session: Session, requests: Sequence[RequestSummary]
) -> tuple[RequestSummary, ...]:
    keys = [request.pk for request in requests]
    found = set(
        session.scalars(
            select(ScoreRow.request_pk).where(ScoreRow.outlier, ScoreRow.request_pk.in_(keys))
        )
    )
    return tuple(replace(request, outlier=request.pk in found) for request in requests)


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

"""Read model of the traffic page: filtered requests, page by page without OFFSET.

A page follows one index, the narrowest that its filters allow, and looks at a limited number of its
entries, however few of them match: it then says where it stopped, and the next page goes on there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, column, select, true
from sqlalchemy import values as sql_values
from sqlalchemy.orm import Session

from detectors.verdict import Verdict
from store.pages.client_search import find_clients
from store.requests.records import Stage
from store.requests.request_keys import key_of
from store.tables.request_tables import RequestRow, ScoreRow, reasons_table

_MAX_ROWS = 5000
# Without a filter beside the index, only requests that were stored late are passed over.
_FEW = 200


@dataclass(frozen=True)
class TrafficFilter:
    """Which requests to list; an empty field does not restrict.

    Attributes:
        client: a part of the client's name.
        reason: code of a rule or refusal.
        route: the way in; see :class:`store.requests.records.RequestRecord`.
    """

    since: datetime
    verdicts: tuple[Verdict, ...] = ()
    client: str = ""
    reason: str = ""
    outliers_only: bool = False
    route: str = ""


@dataclass(frozen=True)
class RequestSummary:
    """One line of a request list.

    Attributes:
        p_value: of an outlier, the smallest that a model gave; ``q_value`` beside it.
    """

    pk: int
    request_id: str
    received_at: datetime
    client: str
    route: str
    stage: Stage
    verdict: Verdict
    status: int
    reasons: tuple[str, ...]
    outlier: bool
    p_value: float | None = None
    q_value: float | None = None


@dataclass(frozen=True)
class TrafficPage:
    """Requests, newest first, and whether there are more on either side.

    Attributes:
        stop_key: the key up to which was looked, if the page is short because few requests match.
        more_clients: whether more clients match than were looked for.
    """

    requests: tuple[RequestSummary, ...]
    newer: bool
    older: bool
    stop_key: int | None = None
    more_clients: bool = False


def traffic_page(
    session: Session,
    criteria: TrafficFilter,
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
        find_clients(session, criteria.client, criteria.since) if criteria.client else ((), False)
    )
    search = _Search(criteria, clients, before, after)
    rows, stop_key = _search(session, search, most + 1)
    page = _page(rows, most, stop_key, search)
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


def requests_of_keys(session: Session, keys: Sequence[int]) -> tuple[RequestSummary, ...]:
    """The requests of some keys, newest first; one that is gone is left out."""
    rows = session.scalars(
        select(RequestRow).where(RequestRow.id.in_(keys)).order_by(RequestRow.id.desc())
    )
    return _with_outliers(session, [summary(row, outlier=False) for row in rows])


@dataclass(frozen=True)
class _Search:
    """A filter with the names that match its client, and the side of a key to look on."""

    criteria: TrafficFilter
    clients: tuple[str, ...]
    before: int | None
    after: int | None

    @property
    def newest_first(self) -> bool:
        return self.after is None

    @property
    def _by_index(self) -> bool:
        return bool(self.criteria.reason or self.criteria.outliers_only)

    def values(self) -> tuple[str, ...]:
        """What one column may be, if the search follows an index of such a column."""
        if self._by_index:
            return ()
        return self.clients or tuple(verdict.value for verdict in self.criteria.verdicts)

    def keys(self, value: ColumnElement[str] | str, most: int) -> Select[Any]:
        """The first keys in the index that the search follows, or in the part of one value."""
        key, condition = self._index(value)
        statement = select(key.label("key")).where(
            condition,
            # One lower bound: SQLite would start at the first of two.
            key >= max(key_of(self.criteria.since), 0 if self.after is None else self.after + 1),
            true() if self.before is None else key < self.before,
        )
        if self.criteria.outliers_only and not self.criteria.reason:
            statement = statement.group_by(key)  # two models may agree on one request
        return statement.order_by(key.desc() if self.newest_first else key).limit(most)

    def _index(
        self, value: ColumnElement[str] | str
    ) -> tuple[ColumnElement[int], ColumnElement[bool]]:
        if self.criteria.reason:
            return reasons_table.c.request_pk, reasons_table.c.reason == self.criteria.reason
        if self.criteria.outliers_only:
            return ScoreRow.request_pk.expression, ScoreRow.outlier.expression
        column = RequestRow.client if self.clients else RequestRow.verdict
        return RequestRow.id.expression, column == value if self.values() else true()

    def rest(self) -> tuple[ColumnElement[bool], ...]:
        """The filters that an index leaves to be looked at."""
        conditions: list[ColumnElement[bool]] = []
        if self.criteria.outliers_only and self.criteria.reason:
            conditions.append(_is_outlier())
        if self.clients and self._by_index:
            conditions.append(RequestRow.client.in_(self.clients))
        if self.criteria.verdicts and (self.clients or self._by_index):
            verdicts = [verdict.value for verdict in self.criteria.verdicts]
            conditions.append(RequestRow.verdict.in_(verdicts))
        if self.criteria.route:
            conditions.append(RequestRow.route == self.criteria.route)
        return tuple(conditions)


def _is_outlier() -> ColumnElement[bool]:
    return (
        select(ScoreRow.request_pk)
        .where(ScoreRow.request_pk == RequestRow.id, ScoreRow.outlier)
        .exists()
    )


def _search(session: Session, search: _Search, most: int) -> tuple[list[RequestRow], int | None]:
    """Matching rows in the order of the search, and the key at which it stopped early."""
    each = _FEW if not search.rest() else _MAX_ROWS // max(1, len(search.values()))
    each = max(each, most)
    streams = _streams(session, search, each)
    keys = sorted({key for stream in streams for key in stream}, reverse=search.newest_first)
    # Beyond the end of a stream that was cut short, others may lack keys that stand before theirs.
    ends = [stream[-1] for stream in streams if len(stream) == each]
    stop_key = (max(ends) if search.newest_first else min(ends)) if ends else None
    if stop_key is not None:
        keys = keys[: keys.index(stop_key) + 1]
    rows: list[RequestRow] = []
    chunk = most
    while keys and len(rows) < most:
        rows += _rows(session, search, keys[:chunk])
        # Where few match, fewer and fewer statements.
        keys, chunk = keys[chunk:], 4 * chunk
    return rows[:most], stop_key


def _streams(session: Session, search: _Search, each: int) -> list[list[int]]:
    """Keys by value of the column that is searched; one list if it is none."""
    values = search.values()
    if len(values) < 2 or session.get_bind().dialect.name == "sqlite":
        statements = [search.keys(value, each) for value in values or ("",)]
        return [list(session.scalars(statement)) for statement in statements]
    # PostgreSQL would take longer to plan so many than to run them.
    value_table = sql_values(column("value", String), name="listed").data([(v,) for v in values])
    of_each = search.keys(value_table.c.value, each).lateral()
    pairs = session.execute(
        select(value_table.c.value, of_each.c.key).select_from(value_table.join(of_each, true()))
    )
    streams: dict[str, list[int]] = {}
    for value, key in pairs:
        streams.setdefault(value, []).append(key)
    return [sorted(stream, reverse=search.newest_first) for stream in streams.values()]


def _rows(session: Session, search: _Search, keys: Sequence[int]) -> Sequence[RequestRow]:
    rows = session.scalars(
        select(RequestRow).where(
            RequestRow.id.in_(keys), RequestRow.received_at >= search.criteria.since, *search.rest()
        )
    ).all()
    return sorted(rows, key=lambda row: row.id, reverse=search.newest_first)


def _page(rows: list[RequestRow], most: int, stop_key: int | None, search: _Search) -> TrafficPage:
    page_rows = rows[:most] if search.newest_first else rows[:most][::-1]
    summaries = tuple(summary(row, outlier=False) for row in page_rows)
    short = stop_key if len(rows) <= most else None
    beyond = len(rows) > most or short is not None
    if search.newest_first:
        return TrafficPage(summaries, search.before is not None, beyond, short)
    return TrafficPage(summaries, beyond, older=True, stop_key=short)


def _with_outliers(
    session: Session, requests: Sequence[RequestSummary]
) -> tuple[RequestSummary, ...]:
    keys = [request.pk for request in requests]
    columns = (ScoreRow.request_pk, ScoreRow.p_value, ScoreRow.q_value)
    outliers = {
        key: (p_value, q_value)
        for key, p_value, q_value in session.execute(
            select(*columns)
            .where(ScoreRow.outlier, ScoreRow.request_pk.in_(keys))
            .order_by(ScoreRow.p_value.desc())
        )
    }
    return tuple(
        replace(request, outlier=True, p_value=p_value, q_value=q_value)
        if request.pk in outliers
        else request
        for request in requests
        for p_value, q_value in (outliers.get(request.pk, (None, None)),)
    )


def summary(row: RequestRow, outlier: bool) -> RequestSummary:
    """A stored request as one line."""
    return RequestSummary(
        pk=row.id,
        request_id=row.request_id,
        received_at=row.received_at,
        client=row.client,
        route=row.route,
        stage=Stage(row.stage),
        verdict=Verdict(row.verdict),
        status=row.status,
        reasons=tuple(row.reasons),
        outlier=outlier,
    )

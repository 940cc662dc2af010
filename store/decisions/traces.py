"""What led to a decision, and what it has refused since."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from detectors.evidence.kinds import EvidenceKind
from detectors.rule_book import BLOCKED_PATCH, BLOCKED_PERTURBATION, BLOCKED_PICTURE
from store.counts.period_counts import select_turned_away
from store.counts.periods import Period, Resolution
from store.decisions.networks import lies_within, read_network
from store.decisions.scopes import Scope
from store.decisions.similar_pictures import SimilarPicture
from store.requests.client_names import addresses_of, network_of
from store.requests.request_keys import key_of
from store.tables.request_tables import FindingRow, RequestRow, reasons_table
from store.tables.work_tables import DecisionRow

BLOCKED = "blocked"
"""Reason of a request that was refused at admission because somebody is blocked."""
_MAX_LOOKED_AT = 5_000
_MAX_EXAMPLES = 20
# By the numbers of their findings.
_BY_FINDING = {
    Scope.PATCH: BLOCKED_PATCH.code,
    Scope.PERTURBATION: BLOCKED_PERTURBATION.code,
    Scope.SIMILAR: BLOCKED_PICTURE.code,
}


@dataclass(frozen=True)
class Trace:
    """A decision traced back and forth.

    Attributes:
        request_ids: requests that led to it, newest first.
        refusals: requests that it has kept out since; of patches and similar pictures also those
            that were only flagged.
        is_complete: whether all were looked at, and not only the newest.
        refused_ids: the newest of those that have a record of their own.
    """

    request_ids: tuple[str, ...]
    refusals: int
    is_complete: bool
    refused_ids: tuple[str, ...]


def trace_decision(session: Session, row: DecisionRow, now: datetime) -> Trace:
    """What led to a decision, and what it did until now or its end."""
    led = tuple(map(str, row.evidence.get("request_ids", ())))
    end = min(row.revoked_at or row.until, now)
    scope = Scope(row.scope)
    if row.simulated:
        return Trace(led, 0, True, ())
    rows = (
        _read_with_finding(session, row, end)
        if scope in _BY_FINDING
        else _read_blocked(session, row, end)
    )
    matches = _matcher_of(row)
    hits = [each for each in rows if matches(each)]
    counted = 0 if scope in (*_BY_FINDING, Scope.CONTENT) else _count_repeats(session, row)
    ids = tuple(each.request_id for each in hits[:_MAX_EXAMPLES])
    return Trace(led, len(hits) + counted, len(rows) < _MAX_LOOKED_AT, ids)


def number_of(picture: SimilarPicture) -> float:
    """What the numbers of a finding say about which picture it is like: 48 bits of its hash."""
    return float(int.from_bytes(picture.bits[:6]))


def _read_blocked(session: Session, row: DecisionRow, end: datetime) -> list[Row[Any]]:
    statement = (
        select(RequestRow.request_id, RequestRow.client, RequestRow.content_sha256)
        .join(reasons_table, reasons_table.c.request_pk == RequestRow.id)
        .where(
            reasons_table.c.reason == BLOCKED,
            reasons_table.c.request_pk >= key_of(row.created_at),
            RequestRow.received_at.between(row.created_at, end),
        )
        .order_by(RequestRow.id.desc())
    )
    return list(session.execute(statement.limit(_MAX_LOOKED_AT)))


def _read_with_finding(session: Session, row: DecisionRow, end: datetime) -> list[Row[Any]]:
    code = _BY_FINDING[Scope(row.scope)]
    statement = (
        select(RequestRow.request_id, FindingRow.evidence)
        .join(reasons_table, reasons_table.c.request_pk == RequestRow.id)
        .join(FindingRow, FindingRow.request_pk == RequestRow.id)
        .where(
            reasons_table.c.reason == code,
            reasons_table.c.request_pk >= key_of(row.created_at),
            FindingRow.rule == code,
            RequestRow.received_at.between(row.created_at, end),
        )
        .order_by(RequestRow.id.desc())
    )
    return list(session.execute(statement.limit(_MAX_LOOKED_AT)))


def _matcher_of(row: DecisionRow) -> Callable[[Row[Any]], bool]:
    scope, value = Scope(row.scope), row.value
    if scope in {Scope.PATCH, Scope.PERTURBATION}:
        return lambda each: each.evidence.get("decision") == float(row.id)
    if scope is Scope.SIMILAR:
        number = number_of(SimilarPicture.read(value))
        return lambda each: each.evidence.get("picture") == number
    if scope is Scope.CONTENT:
        return lambda each: each.content_sha256 == value
    return lambda each: _is_about(scope, value, each.client)


def _is_about(scope: Scope, value: str, client: str) -> bool:
    if scope is not Scope.NETWORK:
        return network_of(client) == value
    own, network = addresses_of(client), read_network(value)
    return own is not None and network is not None and lies_within(own, network)


def _count_repeats(session: Session, row: DecisionRow) -> int:
    """Repeated refusals, which are counted by client and minute."""
    begins = Resolution.MINUTE.start(row.created_at)
    since = datetime.fromtimestamp(begins, row.created_at.tzinfo)
    counted = select_turned_away(Period(since, from_roll_ups=True), (EvidenceKind.NO_ENTRY.value,))
    rows = session.execute(
        select(counted.c.name, func.sum(counted.c.requests)).group_by(counted.c.name)
    )
    scope = Scope(row.scope)
    return sum(int(number) for name, number in rows if _is_about(scope, row.value, name))

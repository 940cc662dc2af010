"""Which clients have so much against them that it is looked at one by one."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from heapq import nlargest
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, bindparam, func, literal, select, union_all
from sqlalchemy.orm import Session

from detectors.evidence.kinds import KINDS, WEIGHTS, EvidenceKind, codes_of
from detectors.rule_book import OUTLIER_TRAFFIC
from store.counts.turned_away import count_floods
from store.decisions.clients.client_evidence import (
    MISTAKE_CODES,
    REASON,
    UPLOAD,
    WEIGHING_CODES,
    Suspect,
    judge_client,
)
from store.requests.client_names import network_of
from store.requests.request_keys import key_of
from store.tables.request_tables import RequestRow, ScoreRow, reasons_table

_MAX_SUSPECTS = 1000
# The newest of each code: in a flood they say who sends it.
_MAX_OF_A_CODE = 5000
# Beside these, each different mistake weighs as much as a damaged file.
_BESIDE = frozenset(codes_of(EvidenceKind.DAMAGED, EvidenceKind.HOSTILE))
_MOST = {code: WEIGHTS[KINDS[code]].weight for code in WEIGHING_CODES} | dict.fromkeys(
    MISTAKE_CODES, WEIGHTS[EvidenceKind.DAMAGED].weight
)
_FIRST_KEY = bindparam("first_key", type_=RequestRow.id.type)
_SINCE = bindparam("since", type_=RequestRow.received_at.type)


def find_suspects(
    session: Session,
    since: datetime,
    min_weight: float,
    chances: Mapping[EvidenceKind, float],
    most: int = _MAX_SUSPECTS,
) -> list[Suspect]:
    """Clients whose evidence after a time weighs so much, the worst first.

    Args:
        most: how many are looked at, those with most evidence first.
    """
    sums = _largest_sums(session, since)
    clients = nlargest(most, sums, key=sums.__getitem__)
    judged = [
        judge_client(session, client, since, chances)
        for client in clients
        if sums[client] >= min_weight
    ]
    worst = [suspect for suspect in judged if suspect.sum.weight >= min_weight]
    return sorted(worst, key=lambda each: (-each.sum.weight, each.evidence.client))


def _largest_sums(session: Session, since: datetime) -> dict[str, float]:
    """By client, no less than what its evidence weighs: chance is not left out yet."""
    bounds = {"first_key": key_of(since), "since": since}
    rows = session.execute(_count_uploads_by_code(_MAX_OF_A_CODE), bounds)
    uploads: dict[str, Counter[str]] = {}
    for client, code, number in rows:
        uploads.setdefault(network_of(client), Counter())[code] += number
    sums = {client: _largest_sum(codes) for client, codes in uploads.items()}
    for client, requests in count_floods(session, since).items():
        name, flood = network_of(client), requests * WEIGHTS[EvidenceKind.FLOOD].weight
        sums[name] = sums.get(name, 0.0) + flood
    return sums


@cache
def _count_uploads_by_code(most: int) -> Select[Any]:
    """Client, code and different files among the ``most`` newest requests of each code.

    Made once: to put it together takes longer than to run it.
    """
    parts = (*(_newest_of(code, most) for code in _MOST), _newest_outliers(most))
    keys = union_all(*parts).subquery()
    return (
        select(RequestRow.client, keys.c.code, func.count(UPLOAD.distinct()))
        .join(keys, keys.c.key == RequestRow.id)
        .where(RequestRow.id >= _FIRST_KEY, RequestRow.received_at > _SINCE)
        .group_by(RequestRow.client, keys.c.code)
    )


def _largest_sum(uploads: Mapping[str, int]) -> float:
    """What different uploads by code weigh at most."""
    counts = dict(uploads)
    for mistake in MISTAKE_CODES:
        if mistake in counts:
            counts[mistake] = 0 if _BESIDE.isdisjoint(uploads) else 1
    return sum(number * _MOST[code] for code, number in counts.items())


def _newest_of(code: str, most: int) -> Select[Any]:
    """Keys of the newest requests with a code."""
    key: ColumnElement[int] = reasons_table.c.request_pk
    newest = (
        select(key.label("key"))
        .where(literal(code) == REASON, key >= _FIRST_KEY)
        .order_by(key.desc())
        .limit(most)
        .subquery()
    )
    return select(newest.c.key, literal(code, Text).label("code"))


def _newest_outliers(most: int) -> Select[Any]:
    newest = (
        select(ScoreRow.request_pk.label("key"))
        .where(ScoreRow.outlier, ScoreRow.request_pk >= _FIRST_KEY)
        .order_by(ScoreRow.request_pk.desc())
        .limit(most)
        .subquery()
    )
    return select(newest.c.key, literal(OUTLIER_TRAFFIC.code, Text).label("code"))

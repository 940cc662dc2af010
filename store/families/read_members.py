"""Reads what families are formed from: outliers, and requests whose findings weigh."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, literal, select, union
from sqlalchemy.orm import Session

from detectors.baseline.networks import network_of_client
from detectors.evidence.kinds import WEIGHTS, EvidenceKind, Exhibit, codes_of
from detectors.families.members import Member
from detectors.rule_book import BLOCKED_PATCH, BLOCKED_PERTURBATION
from store.decisions.scopes import Kind, Scope
from store.requests.client_names import network_of
from store.requests.fingerprints import read_looks
from store.requests.request_keys import key_of
from store.tables.request_tables import FindingRow, RequestRow, ScoreRow, reasons_table
from store.tables.work_tables import DecisionRow

# Outliers of the scan count, which are selected at a stated rate; floods are counted by client.
_LEFT_OUT = {EvidenceKind.OUTLIER, EvidenceKind.FLOOD}
_CODES = codes_of(*(kind for kind in WEIGHTS if kind not in _LEFT_OUT))
_ORDER = list(EvidenceKind)
_CHUNK = 1000
_REASON: ColumnElement[str] = reasons_table.c.reason
Item = TypeVar("Item")


@dataclass(frozen=True)
class _Listed:
    """Requests by what is listed and shows in them: keys of decisions by key, and by request id."""

    by_key: Mapping[int, frozenset[int]]
    by_request_id: Mapping[str, frozenset[int]]

    def of(self, key: int, request_id: str) -> frozenset[int]:
        none = frozenset[int]()
        return self.by_key.get(key, none) | self.by_request_id.get(request_id, none)


def newest_keys(session: Session, since: datetime, most: int) -> tuple[int, ...]:
    """Keys of the newest unusual requests since a time, newest first."""
    parts = [*(_newest_of(code, since, most) for code in _CODES), _newest_outliers(since, most)]
    keys = union(*parts).subquery()
    return tuple(session.scalars(select(keys.c.key).order_by(keys.c.key.desc()).limit(most)))


def read_members(session: Session, keys: Sequence[int]) -> tuple[Member, ...]:
    """The unusual requests of these keys; one that is gone is left out."""
    decisions = _listings(session)
    return tuple(
        member for chunk in _chunks(keys) for member in _read_chunk(session, chunk, decisions)
    )


def read_kinds(session: Session, keys: Sequence[int]) -> Mapping[int, Sequence[EvidenceKind]]:
    """The kinds of evidence that the findings of some requests are, by key; few keys at a time."""
    return _kinds(session, keys, _findings(session, keys))


def _newest_of(code: str, since: datetime, most: int) -> Select[Any]:
    key: ColumnElement[int] = reasons_table.c.request_pk
    newest = select(key.label("key")).where(literal(code) == _REASON, key >= key_of(since))
    return select(newest.order_by(key.desc()).limit(most).subquery().c.key)


def _newest_outliers(since: datetime, most: int) -> Select[Any]:
    newest = (
        select(ScoreRow.request_pk.label("key"))
        .where(ScoreRow.outlier, ScoreRow.request_pk >= key_of(since))
        .order_by(ScoreRow.request_pk.desc())
    )
    return select(newest.limit(most).subquery().c.key)


def _read_chunk(
    session: Session, keys: Sequence[int], decisions: Mapping[Scope, Mapping[str, frozenset[int]]]
) -> Iterator[Member]:
    rows = session.execute(
        select(
            RequestRow.id,
            RequestRow.request_id,
            RequestRow.received_at,
            RequestRow.client,
            RequestRow.content_sha256,
        ).where(RequestRow.id.in_(keys))
    ).all()
    findings, looks = _findings(session, keys), read_looks(session, keys)
    kinds, outliers = _kinds(session, keys, findings), _outliers(session, keys)
    patches = _Listed(_name_decisions(findings, BLOCKED_PATCH.code), decisions[Scope.PATCH])
    noises = _Listed(
        _name_decisions(findings, BLOCKED_PERTURBATION.code), decisions[Scope.PERTURBATION]
    )
    for row in rows:
        yield Member(
            key=row.id,
            received_at=row.received_at,
            client=network_of(row.client),
            network=network_of_client(row.client),
            kind=min(kinds.get(row.id, [EvidenceKind.OUTLIER]), key=_ORDER.index),
            content=row.content_sha256,
            look=looks.get(row.id),
            patches=patches.of(row.id, row.request_id),
            perturbations=noises.of(row.id, row.request_id),
            contributions=outliers.get(row.id, {}),
        )


def _findings(session: Session, keys: Sequence[int]) -> dict[int, dict[str, Mapping[str, float]]]:
    """Numbers of the findings that weigh, by key and code."""
    columns = select(FindingRow.request_pk, FindingRow.rule, FindingRow.evidence)
    rows = session.execute(
        columns.where(FindingRow.request_pk.in_(keys), FindingRow.rule.in_(_CODES))
    )
    findings: dict[int, dict[str, Mapping[str, float]]] = {}
    for row in rows:
        findings.setdefault(row.request_pk, {})[row.rule] = row.evidence
    return findings


def _kinds(
    session: Session, keys: Sequence[int], findings: Mapping[int, Mapping[str, Mapping[str, float]]]
) -> dict[int, list[EvidenceKind]]:
    rows = session.execute(
        select(reasons_table.c.request_pk, _REASON).where(
            reasons_table.c.request_pk.in_(keys), _REASON.in_(_CODES)
        )
    )
    kinds: dict[int, list[EvidenceKind]] = {}
    for key, code in rows:
        exhibit = Exhibit("", code, findings.get(key, {}).get(code, {}))
        kinds.setdefault(key, []).append(exhibit.kind)
    return kinds


def _outliers(session: Session, keys: Sequence[int]) -> dict[int, Mapping[str, float]]:
    columns = select(ScoreRow.request_pk, ScoreRow.contributions)
    rows = session.execute(columns.where(ScoreRow.request_pk.in_(keys), ScoreRow.outlier))
    return {row.request_pk: row.contributions for row in rows}


def _name_decisions(
    findings: Mapping[int, Mapping[str, Mapping[str, float]]], code: str
) -> dict[int, frozenset[int]]:
    """The decision that each request's finding names."""
    return {
        key: frozenset({int(by_code[code]["decision"])})
        for key, by_code in findings.items()
        if "decision" in by_code.get(code, {})
    }


def _listings(session: Session) -> dict[Scope, dict[str, frozenset[int]]]:
    """By request id, the patches and perturbations that were found in it."""
    listed: dict[Scope, dict[str, frozenset[int]]] = {Scope.PATCH: {}, Scope.PERTURBATION: {}}
    rows: Iterable[Row[Any]] = session.execute(
        select(DecisionRow.id, DecisionRow.scope, DecisionRow.evidence)
        .where(DecisionRow.scope.in_(tuple(listed)), DecisionRow.kind == Kind.BLOCK.value)
        .order_by(DecisionRow.id.desc())
        .limit(_CHUNK)
    )
    for row in rows:
        of_scope = listed[Scope(row.scope)]
        for request_id in map(str, row.evidence.get("request_ids", ())):
            of_scope[request_id] = of_scope.get(request_id, frozenset()) | {row.id}
    return listed


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[first : first + _CHUNK] for first in range(0, len(items), _CHUNK))

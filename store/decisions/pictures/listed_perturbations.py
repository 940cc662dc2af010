"""Perturbations on the blacklist: a decision whose evidence carries the signature."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, ScalarResult, and_, or_, select, true
from sqlalchemy.orm import Session

from detectors.perturbations.signatures import Signature, SignatureError
from store.decisions.decisions import BY_POLICY, Kind, Scope
from store.tables.work_tables import DecisionRow

_log = structlog.get_logger(__name__)
# Each is looked for in every picture. The newest count: attackers make others.
MAX_PERTURBATIONS = 5
_MAX_DECISIONS = 100
# What the evidence of such a decision holds.
SIGNATURE, LIMIT = "signature", "limit"


@dataclass(frozen=True, eq=False)
class ListedPerturbation:
    """One perturbation on the list.

    Attributes:
        decision_id: the decision that put it there.
        limit: the strength from which on a picture shows it.
        until: when the decision ends.
        simulated: whether pictures that show it are only flagged.
    """

    decision_id: int
    signature: Signature
    limit: float
    until: datetime
    simulated: bool


@dataclass(frozen=True)
class NewPerturbation:
    """A perturbation that a job put on the list lately.

    Attributes:
        request_ids: flagged requests whose pictures show it.
    """

    decision_id: int
    simulated: bool
    request_ids: tuple[str, ...]


def signature_evidence(signature: Signature, limit: float) -> dict[str, object]:
    """What a decision has to carry for its perturbation to be found again."""
    cells = b64encode(signature.to_bytes()).decode()
    return {SIGNATURE: cells, LIMIT: round(limit, 4)}


def signature_of(evidence: Mapping[str, object]) -> tuple[Signature, float]:
    """The signature that :func:`signature_evidence` wrote down, and its limit.

    Raises:
        SignatureError: something of it is missing or damaged.
    """
    try:
        cells = b64decode(str(evidence[SIGNATURE]), validate=True)
        limit = float(str(evidence[LIMIT]))
    except (KeyError, ValueError) as error:
        raise SignatureError(f"The decision carries no signature: {error!r}.") from None
    return Signature.of_bytes(cells), limit


def listed_perturbations(session: Session, now: datetime) -> tuple[ListedPerturbation, ...]:
    """Those that are blocked now, newest first; one that cannot be read is logged, left out."""
    active = and_(DecisionRow.until > now, DecisionRow.revoked_at.is_(None))
    return tuple(_readable(_newest(session, MAX_PERTURBATIONS, active)))


def list_decided_perturbations(
    session: Session, now: datetime, *, simulated: bool
) -> tuple[ListedPerturbation, ...]:
    """Those that need no second decision: blocked now, or revoked by a person at any time.

    Args:
        simulated: whether a simulated block is enough.
    """
    is_block = and_(DecisionRow.until > now, true() if simulated else ~DecisionRow.simulated)
    is_decided = or_(is_block, DecisionRow.revoked_at.is_not(None))
    return tuple(_readable(_newest(session, _MAX_DECISIONS, is_decided)))


def list_new_perturbations(session: Session, since: datetime) -> tuple[NewPerturbation, ...]:
    """Those that were listed by a job at or after a time and not revoked, newest first."""
    by_a_job = DecisionRow.origin == BY_POLICY
    new = and_(by_a_job, DecisionRow.created_at >= since, DecisionRow.revoked_at.is_(None))
    return tuple(
        NewPerturbation(row.id, row.simulated, tuple(map(str, row.evidence.get("request_ids", ()))))
        for row in _newest(session, MAX_PERTURBATIONS, new)
    )


def _newest(
    session: Session, most: int, condition: ColumnElement[bool]
) -> ScalarResult[DecisionRow]:
    """Blocks of perturbations, newest first."""
    return session.scalars(
        select(DecisionRow)
        .where(
            DecisionRow.scope == Scope.PERTURBATION.value,
            DecisionRow.kind == Kind.BLOCK.value,
        )
        .where(condition)
        .order_by(DecisionRow.id.desc())
        .limit(most)
    )


def _readable(rows: Iterable[DecisionRow]) -> Iterator[ListedPerturbation]:
    for row in rows:
        try:
            signature, limit = signature_of(row.evidence)
        except SignatureError as error:
            _log.warning("a listed perturbation cannot be read", decision=row.id, why=str(error))
            continue
        yield ListedPerturbation(row.id, signature, limit, row.until, row.simulated)

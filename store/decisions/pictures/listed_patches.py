"""Patches on the blacklist: a decision whose evidence carries what it looks for."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, ScalarResult, and_, or_, select, true
from sqlalchemy.orm import Session

from detectors.patches.patches import Patch, PatchError
from store.decisions.decisions import BY_POLICY, Kind, Scope
from store.tables.work_tables import DecisionRow

_log = structlog.get_logger(__name__)
# Each is looked for in every picture. The newest count: prints come and go.
MAX_PATCHES = 20
_MAX_DECISIONS = 100
# What the evidence of such a decision holds.
PIXELS, SHARE, LIMIT = "patch", "patch_share", "limit"


@dataclass(frozen=True, eq=False)
class ListedPatch:
    """One patch on the list.

    Attributes:
        decision_id: the decision that put it there.
        limit: the correlation from which on a picture shows it.
        until: when the decision ends.
        simulated: whether pictures that show it are only flagged.
    """

    decision_id: int
    patch: Patch
    limit: float
    until: datetime
    simulated: bool


@dataclass(frozen=True)
class NewPatch:
    """A patch that a job put on the list lately.

    Attributes:
        request_ids: flagged requests whose pictures show it.
    """

    decision_id: int
    simulated: bool
    request_ids: tuple[str, ...]


def patch_evidence(patch: Patch, limit: float) -> dict[str, object]:
    """What a decision has to carry for its patch to be found again."""
    pixels = b64encode(patch.to_bytes()).decode()
    return {PIXELS: pixels, SHARE: round(patch.share, 4), LIMIT: round(limit, 4)}


def patch_of(evidence: Mapping[str, object]) -> tuple[Patch, float]:
    """The patch that :func:`patch_evidence` wrote down, and its limit.

    Raises:
        PatchError: something of it is missing or damaged.
    """
    try:
        pixels = b64decode(str(evidence[PIXELS]), validate=True)
        share, limit = float(str(evidence[SHARE])), float(str(evidence[LIMIT]))
    except (KeyError, ValueError) as error:
        raise PatchError(f"The decision carries no patch: {error!r}.") from None
    return Patch.of_bytes(pixels, share), limit


def listed_patches(session: Session, now: datetime) -> tuple[ListedPatch, ...]:
    """Patches that are blocked now, newest first; one that cannot be read is logged, left out."""
    active = and_(DecisionRow.until > now, DecisionRow.revoked_at.is_(None))
    return tuple(_readable(_newest(session, MAX_PATCHES, active)))


def list_decided_patches(
    session: Session, now: datetime, *, simulated: bool
) -> tuple[ListedPatch, ...]:
    """Patches that need no second decision: blocked now, or revoked by a person at any time.

    Args:
        simulated: whether a simulated block is enough.
    """
    is_block = and_(DecisionRow.until > now, true() if simulated else ~DecisionRow.simulated)
    is_decided = or_(is_block, DecisionRow.revoked_at.is_not(None))
    return tuple(_readable(_newest(session, _MAX_DECISIONS, is_decided)))


def list_new_patches(session: Session, since: datetime) -> tuple[NewPatch, ...]:
    """Patches that were listed by a job at or after a time and not revoked, newest first."""
    by_a_job = DecisionRow.origin == BY_POLICY
    new = and_(by_a_job, DecisionRow.created_at >= since, DecisionRow.revoked_at.is_(None))
    return tuple(
        NewPatch(row.id, row.simulated, tuple(map(str, row.evidence.get("request_ids", ()))))
        for row in _newest(session, MAX_PATCHES, new)
    )


def _newest(
    session: Session, most: int, condition: ColumnElement[bool]
) -> ScalarResult[DecisionRow]:
    """Blocks of patches, newest first."""
    return session.scalars(
        select(DecisionRow)
        .where(DecisionRow.scope == Scope.PATCH.value, DecisionRow.kind == Kind.BLOCK.value)
        .where(condition)
        .order_by(DecisionRow.id.desc())
        .limit(most)
    )


def _readable(rows: Iterable[DecisionRow]) -> Iterator[ListedPatch]:
    for row in rows:
        try:
            patch, limit = patch_of(row.evidence)
        except PatchError as error:
            _log.warning("a listed patch cannot be read", decision=row.id, why=str(error))
            continue
        yield ListedPatch(row.id, patch, limit, row.until, row.simulated)

"""Patches on the blacklist: a decision whose evidence carries what it looks for."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from detectors.patches.patches import Patch, PatchError
from store.decisions.decisions import Scope
from store.decisions.pictures.listings import NewListing, list_blocked, list_decided, list_new
from store.tables.work_tables import DecisionRow

# Each is looked for in every picture. The newest count: prints come and go.
MAX_PATCHES = 20
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
    """Those that are blocked now, newest first; one that cannot be read is logged, left out."""
    return list_blocked(session, Scope.PATCH, _read, now, MAX_PATCHES)


def list_decided_patches(
    session: Session, now: datetime, *, simulated: bool
) -> tuple[ListedPatch, ...]:
    """Those that need no second decision: blocked now, or revoked by a person at any time."""
    return list_decided(session, Scope.PATCH, _read, now, simulated=simulated)


def list_new_patches(session: Session, since: datetime) -> tuple[NewListing, ...]:
    """Those that were listed by a job at or after a time and not revoked, newest first."""
    return list_new(session, Scope.PATCH, since, MAX_PATCHES)


def _read(row: DecisionRow) -> ListedPatch:
    patch, limit = patch_of(row.evidence)
    return ListedPatch(row.id, patch, limit, row.until, row.simulated)

"""Patches on the blacklist: a decision whose evidence carries what it looks for."""

from base64 import b64decode, b64encode
from collections.abc import Mapping

from detectors.patches.patches import Patch, PatchError
from store.decisions.pictures.listings import Listed, Listing
from store.decisions.scopes import Scope

# Each is looked for in every picture. The newest count: prints come and go.
_MAX_PATCHES = 20
# What the evidence of such a decision holds.
PIXELS, SHARE, LIMIT = "patch", "patch_share", "limit"
ListedPatch = Listed[Patch]


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


PATCHES = Listing(Scope.PATCH, _MAX_PATCHES, patch_of)

"""Members of families: ordinary outliers share nothing, attackers what a test says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import TypedDict, Unpack

from detectors.baseline.networks import network_of_client
from detectors.evidence.kinds import EvidenceKind
from detectors.families.members import Member

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_KEYS = count(1)


class MemberChanges(TypedDict, total=False):
    """The fields of a ``Member``."""

    received_at: datetime
    kind: EvidenceKind
    content: str | None
    look: bytes | None
    patches: frozenset[int]
    perturbations: frozenset[int]
    contributions: dict[str, float]


def make_member(client: str, **changes: Unpack[MemberChanges]) -> Member:
    """An outlier of a client, an hour after the one before."""
    key = next(_KEYS)
    usual = Member(
        key=key,
        received_at=NOON + timedelta(hours=key),
        client=client,
        network=network_of_client(client),
        kind=EvidenceKind.OUTLIER,
    )
    return replace(usual, **changes)


def look_of(number: int, flipped: int = 0) -> bytes:
    """A perceptual hash that is far from those of other numbers, with some bits flipped."""
    bits = int.from_bytes(sha256(str(number).encode()).digest())
    return (bits ^ ((1 << flipped) - 1)).to_bytes(32)

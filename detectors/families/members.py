"""What families are made of: unusual requests, what they share, and how usual it is to share it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from detectors.evidence.kinds import EvidenceKind


class Tie(StrEnum):
    """What the requests of a family share, the most telling first."""

    PATCH = "patch"
    """A patch of the blacklist."""
    PERTURBATION = "perturbation"
    """A perturbation of the blacklist."""
    PICTURE = "picture"
    """The same picture, or one that looks like it."""
    CLIENT = "client"
    NETWORK = "network"
    """A /24, or a /48 of IPv6."""
    BURST = "burst"
    """The minutes in which they came."""
    DIRECTION = "direction"
    """The features that make them unusual, and on which side."""


@dataclass(frozen=True)
class Member:
    """An outlier, or a request with a finding that weighs against its client.

    Attributes:
        key: of the request; grows with time.
        client: under the name that decisions know it by.
        network: what the client belongs to.
        kind: the most telling evidence of the request.
        content: SHA-256 of what was sent, if it was read.
        look: bits of the perceptual hash, 32 bytes; ``None`` where they mean nothing.
        patches: decisions on the patches that it shows; ``perturbations`` likewise.
        contributions: what makes an outlier unusual: distance from normal by feature, signed.
    """

    key: int
    received_at: datetime
    client: str
    network: str
    kind: EvidenceKind
    content: str | None = None
    look: bytes | None = None
    patches: frozenset[int] = frozenset()
    perturbations: frozenset[int] = frozenset()
    contributions: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Crowd:
    """All requests beside which the members came.

    Attributes:
        requests: by client, those that passed; of one that is missing there are none.
        clients: by network, how many it had.
        minutes: requests by the minute in which they came, counted since 1970; there is no burst
            in one that is missing.
    """

    requests: Mapping[str, int] = field(default_factory=dict)
    clients: Mapping[str, int] = field(default_factory=dict)
    minutes: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Bond:
    """What some requests share.

    Attributes:
        value: the client, the network, the decision, the features, the first minute; empty for
            pictures.
        keys: of the requests.
    """

    tie: Tie
    value: str
    keys: frozenset[int]


@dataclass(frozen=True)
class Group:
    """Requests that belong together, and why.

    Attributes:
        bonds: what holds them together; each is of two requests or more.
    """

    keys: frozenset[int]
    bonds: tuple[Bond, ...]

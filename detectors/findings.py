"""Findings: named rules that fired, with their evidence and place in the threat catalogues."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

ATLAS_VERSION = "2026.10"
OWASP_VERSION = "2023"


class Severity(StrEnum):
    """How much a finding weighs.

    ``odd`` is recorded and the request passes; ``suspect`` flags it in every mode and refuses it in
    none; ``bad`` flags it in the mode ``monitor`` and refuses it in ``enforce``.
    """

    ODD = "odd"
    SUSPECT = "suspect"
    BAD = "bad"


@dataclass(frozen=True)
class Rule:
    """A named condition.

    Attributes:
        code: stable name, used in records, mails and pages.
        severity: weight of its findings, where no setting says otherwise.
        sentence: what it means, for an analyst.
        atlas: MITRE ATLAS technique id (catalogue ``ATLAS_VERSION``).
        owasp: OWASP Machine Learning Security Top 10 id (edition ``OWASP_VERSION``).
    """

    code: str
    severity: Severity
    sentence: str
    atlas: str
    owasp: str


@dataclass(frozen=True)
class Place:
    """Where in a picture a finding is: a box in the picture's own pixels, ends exclusive.

    Attributes:
        part: part group that the finding is about, as in :class:`detectors.parts.PartGroup`.
    """

    left: int
    top: int
    right: int
    bottom: int
    part: str | None = None


@dataclass(frozen=True)
class Finding:
    """A rule that fired on one request, with the numbers that made it fire.

    Attributes:
        places: where it shows, the clearest place first; empty where it is about the whole request.
    """

    rule: Rule
    evidence: Mapping[str, float] = field(default_factory=dict)
    places: tuple[Place, ...] = ()

"""Findings: named rules that fired, with their evidence and place in the threat catalogues."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

ATLAS_VERSION = "2026.10"
OWASP_VERSION = "2023"


class Severity(StrEnum):
    """How much a finding weighs: ``odd`` is worth recording, ``bad`` makes the request flagged."""

    ODD = "odd"
    BAD = "bad"


@dataclass(frozen=True)
class Rule:
    """A named condition.

    Attributes:
        code: stable name, used in records, mails and pages.
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
class Finding:
    """A rule that fired on one request, with the numbers that made it fire."""

    rule: Rule
    evidence: Mapping[str, float] = field(default_factory=dict)


NO_PERSON = Rule(
    "no_person_found",
    Severity.BAD,
    "The model found no person in the picture.",
    "AML.T0015",
    "ML01:2023",
)
SKIN_SHARE_LOW = Rule(
    "skin_share_too_low",
    Severity.BAD,
    "A person shows almost no face, arms or legs.",
    "AML.T0015",
    "ML01:2023",
)
TROUSERS_WITHOUT_FEET = Rule(
    "trousers_without_feet",
    Severity.BAD,
    "A person's trousers end in the air: no foot or leg touches them.",
    "AML.T0015",
    "ML01:2023",
)
TYPE_MISMATCH = Rule(
    "declared_type_differs",
    Severity.ODD,
    "The declared media type is not the type of the file's content.",
    "AML.T0043",
    "ML01:2023",
)

RULES: tuple[Rule, ...] = (NO_PERSON, SKIN_SHARE_LOW, TROUSERS_WITHOUT_FEET, TYPE_MISMATCH)
_BY_CODE = {rule.code: rule for rule in RULES}


def rule_named(code: str) -> Rule:
    """The rule of a stored code.

    Raises:
        KeyError: no rule has that code.
    """
    return _BY_CODE[code]

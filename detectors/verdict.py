"""The verdict: what happens to a request, decided from its findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from detectors.findings import Finding, Severity


class Verdict(StrEnum):
    """Decided at request time."""

    PASS = "pass"  # noqa: S105
    FLAG = "flag"
    REFUSE = "refuse"


class Mode(StrEnum):
    """``monitor`` never refuses because of a detector; ``enforce`` does."""

    MONITOR = "monitor"
    ENFORCE = "enforce"


@dataclass(frozen=True)
class Judgement:
    """A verdict with the codes of the rules that led to it, heaviest first."""

    verdict: Verdict
    reasons: tuple[str, ...]


def judge(findings: Sequence[Finding], mode: Mode) -> Judgement:
    """Decide on a parsed request.

    >>> judge((), Mode.ENFORCE)
    Judgement(verdict=<Verdict.PASS: 'pass'>, reasons=())
    """
    ordered = sorted(findings, key=lambda finding: finding.rule.severity is not Severity.BAD)
    reasons = tuple(finding.rule.code for finding in ordered)
    if not any(finding.rule.severity is Severity.BAD for finding in findings):
        return Judgement(Verdict.PASS, reasons)
    return Judgement(Verdict.REFUSE if mode is Mode.ENFORCE else Verdict.FLAG, reasons)

"""The verdict: what happens to a request, decided from its findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from detectors.findings import Finding, Severity

_WEIGHTS = {Severity.BAD: 0, Severity.SUSPECT: 1, Severity.ODD: 2}


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
    ranking = sorted(findings, key=lambda finding: _WEIGHTS[finding.rule.severity])
    reasons = tuple(finding.rule.code for finding in ranking)
    heaviest = ranking[0].rule.severity if ranking else Severity.ODD
    if heaviest is Severity.ODD:
        return Judgement(Verdict.PASS, reasons)
    is_refusal = heaviest is Severity.BAD and mode is Mode.ENFORCE
    return Judgement(Verdict.REFUSE if is_refusal else Verdict.FLAG, reasons)

"""Says which pictures are crafted: what the looks showed, judged by what clean pictures show."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan

from detectors.baseline.baseline import CraftedScore
from detectors.baseline.phases import SourceState
from detectors.evidence.kinds import CLEAN_SHARE
from detectors.findings import Finding, Place
from detectors.picture.colour_detail import colour_detail_place
from detectors.rule_book import ADVERSARIAL_PICTURE
from inference.checks.base import Case, CheckResult, Needs


@dataclass(frozen=True)
class CraftedCheck:
    """Scores the evidence of all looks.

    Without a baseline for the source nothing is said.

    Attributes:
        state_of: what is known of the source of a digest.
        false_positive_rate: share of clean requests that may be called crafted.
    """

    state_of: Callable[[str], SourceState]
    false_positive_rate: float = 0.005
    name = "crafted"
    needs = Needs.FINDINGS

    def run(self, case: Case) -> CheckResult:
        """The score, and a finding if clean pictures hardly ever reach it."""
        baseline = self.state_of(case.segmenter.digest).baseline
        if baseline is None:
            return CheckResult()
        score = baseline.score(case.features)
        features = {"tamper_score": score.value}
        if isnan(score.value) or score.value < baseline.threshold(self.false_positive_rate):
            return CheckResult(features)
        finding = _finding(score, case, baseline.clean_share(score.value))
        return CheckResult(features, (finding,))


def _finding(score: CraftedScore, case: Case, clean_share: float) -> Finding:
    """What leads the score, with the places where it shows and how few clean pictures reach it."""
    leading = score.list_main_evidence()
    places = [_place(evidence.shown_by, case) for evidence in leading]
    evidence = {"tamper_score": score.value}
    evidence |= {each.name: excess for each, excess in leading.items()}
    numbers = {name: round(value, 3) for name, value in evidence.items()}
    return Finding(
        ADVERSARIAL_PICTURE,
        numbers | {CLEAN_SHARE: round(clean_share, 6)},
        tuple(dict.fromkeys(places)),
    )


def _place(feature: str, case: Case) -> Place:
    # The gate measures it on the whole picture, and searches for its place only here.
    if feature == "colour_detail_tile":
        return colour_detail_place(case.image)
    return case.places[feature]()

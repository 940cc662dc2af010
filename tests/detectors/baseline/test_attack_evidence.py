"""The list of evidence fits the features that are measured."""

from detectors.baseline.attack_evidence import EVIDENCE
from detectors.registry import FEATURE_NAMES


def test_evidence_is_made_of_features_that_are_measured() -> None:
    for evidence in EVIDENCE:
        assert evidence.shown_by in FEATURE_NAMES
        for part in evidence.parts:
            assert {*part.factors, *part.predictors} <= set(FEATURE_NAMES)


def test_names_are_unique_and_words_are_sentences() -> None:
    assert len({evidence.name for evidence in EVIDENCE}) == len(EVIDENCE)
    assert all(evidence.words.endswith(".") for evidence in EVIDENCE)
    assert all(0 < evidence.weight <= 1 for evidence in EVIDENCE)


def test_only_later_evidence_needs_more_than_the_first_look() -> None:
    for evidence in EVIDENCE:
        factors = {factor for part in evidence.parts for factor in part.factors}
        assert ("js_consensus" in factors) == evidence.later

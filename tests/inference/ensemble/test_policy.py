from collections.abc import Mapping, Sequence
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.baseline.baseline import Baseline
from detectors.baseline.phases import Phase, SourceState
from detectors.findings import Finding
from detectors.rule_book import FLAT_PICTURE, NAME_MISMATCH, TROUSERS_WITHOUT_FEET
from inference.ensemble.policy import Depth, EnsembleMode, EnsemblePolicy

NORMAL = {"entropy_foreground": 0.5, "faces_hidden": 1.0, "confidence_face": 0.9}


def _depth(
    mode: EnsembleMode,
    features: Mapping[str, float] = NORMAL,
    findings: Sequence[Finding] = (),
    phase: Phase = Phase.IN_FORCE,
    *,
    is_sampled: bool = False,
    has_own: bool = True,
) -> Depth:
    policy = EnsemblePolicy(mode, 1.0)
    state = SourceState(phase, has_own=has_own)
    return policy.depth(features, findings, state, is_sampled=is_sampled)


@pytest.mark.parametrize(
    ("mode", "normal", "odd", "sampled"),
    [
        (EnsembleMode.ALWAYS, Depth.MEMBERS, Depth.FULL, Depth.FULL),
        (EnsembleMode.SUSPICIOUS, Depth.NOTHING, Depth.FULL, Depth.FULL),
        (EnsembleMode.SAMPLED, Depth.NOTHING, Depth.NOTHING, Depth.FULL),
        (EnsembleMode.NEVER, Depth.NOTHING, Depth.NOTHING, Depth.NOTHING),
    ],
)
def test_each_mode_looks_at_what_it_says(
    mode: EnsembleMode, normal: Depth, odd: Depth, sampled: Depth
) -> None:
    assert _depth(mode) is normal
    assert _depth(mode, findings=[Finding(TROUSERS_WITHOUT_FEET)]) is odd
    assert _depth(mode, is_sampled=True) is sampled


@pytest.mark.parametrize(
    "features",
    [
        NORMAL | {"entropy_foreground": 1.01},
        NORMAL | {"confidence_face": nan},
        {},
    ],
    ids=["unsure", "face prior sees a face, the parse none", "not measured"],
)
def test_odd_measures_are_suspicious(features: Mapping[str, float]) -> None:
    assert _depth(EnsembleMode.SUSPICIOUS, features) is Depth.FULL


@pytest.mark.parametrize(
    "features",
    [
        NORMAL | {"entropy_foreground": 1.0},
        NORMAL | {"faces_hidden": 0.0, "confidence_face": nan},
        NORMAL | {"faces_hidden": nan, "confidence_face": nan},
        NORMAL | {"entropy_foreground": nan},
    ],
    ids=["just sure enough", "nobody sees a face", "no label for faces", "no foreground"],
)
def test_what_is_within_limits_is_not(features: Mapping[str, float]) -> None:
    assert _depth(EnsembleMode.SUSPICIOUS, features) is Depth.NOTHING


def test_a_rule_that_only_records_is_not_suspicious() -> None:
    odd, suspect = Finding(NAME_MISMATCH), Finding(FLAT_PICTURE)
    assert _depth(EnsembleMode.SUSPICIOUS, findings=[odd]) is Depth.NOTHING
    assert _depth(EnsembleMode.SUSPICIOUS, findings=[odd, suspect]) is Depth.FULL


@pytest.mark.parametrize("mode", [EnsembleMode.ALWAYS, EnsembleMode.SUSPICIOUS])
def test_a_source_that_is_learning_is_looked_at_to_learn_and_not_to_judge(
    mode: EnsembleMode,
) -> None:
    odd = [Finding(FLAT_PICTURE)]
    assert _depth(mode, findings=odd, phase=Phase.LEARNING) is Depth.NOTHING
    assert _depth(mode, findings=odd, phase=Phase.LEARNING, is_sampled=True) is Depth.SAMPLE
    assert _depth(mode, findings=odd, phase=Phase.PROVISIONAL) is Depth.FULL
    assert _depth(mode, phase=Phase.PROVISIONAL, is_sampled=True) is Depth.SAMPLE


def test_a_source_that_a_file_judges_is_looked_at_to_learn_and_to_judge() -> None:
    odd = [Finding(FLAT_PICTURE)]
    usual = EnsembleMode.SUSPICIOUS
    assert _depth(usual, is_sampled=True, has_own=False) is Depth.SAMPLE
    assert _depth(usual, findings=odd, is_sampled=True, has_own=False) is Depth.FULL
    assert _depth(usual, has_own=False) is Depth.NOTHING


def test_a_parse_that_is_surer_than_nearly_all_of_its_source_is_suspicious() -> None:
    baseline = Baseline("0" * 64, (), inf, (0.0,), sure_below=0.5)
    policy = EnsemblePolicy().for_source(SourceState(Phase.IN_FORCE, baseline))
    depths = [
        policy.depth(NORMAL | {"entropy_p95": entropy}, (), SourceState(Phase.IN_FORCE))
        for entropy in (0.49, 0.5, nan)
    ]
    assert depths == [Depth.FULL, Depth.NOTHING, Depth.NOTHING]


def test_what_is_usual_for_a_source_is_not_suspicious_there() -> None:
    policy = EnsemblePolicy().for_source(SourceState(max_entropy=2.0))
    unsure = NORMAL | {"entropy_foreground": 1.9}
    assert policy.depth(unsure, (), SourceState(Phase.IN_FORCE)) is Depth.NOTHING
    assert EnsemblePolicy().for_source(SourceState()) == EnsemblePolicy()


@given(st.sampled_from(EnsembleMode), st.booleans(), st.booleans(), st.sampled_from(Phase))
def test_always_looks_at_least_as_closely_as_any_other_mode(
    mode: EnsembleMode, odd: bool, is_sampled: bool, phase: Phase
) -> None:
    order = list(Depth)
    findings = [Finding(TROUSERS_WITHOUT_FEET)] if odd else []
    depths = [
        _depth(each, findings=findings, phase=phase, is_sampled=is_sampled)
        for each in (mode, EnsembleMode.ALWAYS)
    ]
    assert order.index(depths[0]) <= order.index(depths[1])

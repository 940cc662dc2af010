from collections.abc import Mapping, Sequence
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from detectors.findings import Finding
from detectors.rule_book import FLAT_PICTURE, NAME_MISMATCH, TROUSERS_WITHOUT_FEET
from inference.ensemble.policy import Depth, EnsembleMode, EnsemblePolicy

NORMAL = {"entropy_foreground": 0.5, "faces_found": 1.0, "confidence_face": 0.9}


def _depth(
    mode: EnsembleMode,
    features: Mapping[str, float] = NORMAL,
    findings: Sequence[Finding] = (),
    share: float = 0.0,
) -> Depth:
    return EnsemblePolicy(mode, share, 1.0).depth(features, findings, default_rng(0))


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
    assert _depth(mode, share=1.0) is sampled


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
        NORMAL | {"faces_found": 0.0, "confidence_face": nan},
        NORMAL | {"entropy_foreground": nan},
    ],
    ids=["just sure enough", "nobody sees a face", "no foreground"],
)
def test_what_is_within_limits_is_not(features: Mapping[str, float]) -> None:
    assert _depth(EnsembleMode.SUSPICIOUS, features) is Depth.NOTHING


def test_a_rule_that_only_records_is_not_suspicious() -> None:
    odd, suspect = Finding(NAME_MISMATCH), Finding(FLAT_PICTURE)
    assert _depth(EnsembleMode.SUSPICIOUS, findings=[odd]) is Depth.NOTHING
    assert _depth(EnsembleMode.SUSPICIOUS, findings=[odd, suspect]) is Depth.FULL


def test_the_sample_has_its_share() -> None:
    random, policy = default_rng(3), EnsemblePolicy(EnsembleMode.SAMPLED, 0.25)
    chosen = sum(policy.depth(NORMAL, (), random) is Depth.FULL for _ in range(2_000))
    assert 430 <= chosen <= 570


@given(st.sampled_from(EnsembleMode), st.booleans(), st.integers(0, 99))
def test_always_looks_at_least_as_closely_as_any_other_mode(
    mode: EnsembleMode, odd: bool, seed: int
) -> None:
    order = list(Depth)
    findings = [Finding(TROUSERS_WITHOUT_FEET)] if odd else []
    depths = [
        EnsemblePolicy(each, 0.5).depth(NORMAL, findings, default_rng(seed))
        for each in (mode, EnsembleMode.ALWAYS)
    ]
    assert order.index(depths[0]) <= order.index(depths[1])

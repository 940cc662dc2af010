from math import inf, isnan, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.model_features import model_features
from detectors.picture.input_features import input_features
from detectors.registry import (
    FEATURE_NAMES,
    FEATURES,
    FITTED_NAMES,
    FeatureError,
    FeatureVector,
    Group,
    find_feature,
)
from detectors.topology.persons import Scene
from detectors.topology.topology_features import topology_features

in_range = {
    feature.name: st.floats(max(feature.low, -1e6), min(feature.high, 1e6)) for feature in FEATURES
}


def _names(group: Group) -> set[str]:
    return {feature.name for feature in FEATURES if feature.group is group}


def test_every_feature_has_its_own_name() -> None:
    assert len(set(FEATURE_NAMES)) == len(FEATURES)
    assert all(name.isidentifier() and name == name.lower() for name in FEATURE_NAMES)


def test_every_feature_says_what_it_means_and_in_which_unit() -> None:
    for feature in FEATURES:
        assert feature.meaning, feature.name
        assert feature.unit, feature.name
        assert feature.low < feature.high, feature.name


def test_shares_lie_between_zero_and_one() -> None:
    shares = [feature for feature in FEATURES if feature.unit == "share"]
    assert {(feature.low, feature.high) for feature in shares} == {(0.0, 1.0)}


def test_outlier_models_learn_from_the_picture_and_its_looks_and_not_from_who_sends_how_much() -> (
    None
):
    fitted_looks = {
        *("ensemble_variance", "mutual_information", "label_disagreement", "js_consensus"),
        *("hidden_foreground_share", "hidden_face_share", "tile_js_consensus", "trigger_score"),
    }
    # The face prior is asked about some pictures only; the worst of persons is for rules alone, and
    # so is what moves with a baseline.
    left_out = {
        *("faces_found", "faces_hidden", "face_signs", "tamper_score"),
        *("persons_judged", "worst_skin_share", "worst_trousers_gap", "worst_faceless_hair"),
        *_names(Group.COST),
        *(set(_names(Group.ENSEMBLE)) - fitted_looks),
        *(set(_names(Group.TRAFFIC)) - {"label_delta", "probing_score"}),
    }
    assert set(FEATURE_NAMES) - set(FITTED_NAMES) == left_out


def test_each_group_is_measured_completely(draw: Any) -> None:
    picture = np.zeros((20, 20, 3), dtype=np.uint8)
    parsing = draw({})
    asked = ("faces_found", "faces_hidden")
    assert _names(Group.INPUT) == {*input_features(picture, 1), *asked}
    assert _names(Group.MODEL) == set(model_features(parsing))
    worst = {"worst_skin_share", "worst_trousers_gap", "worst_faceless_hair", "persons_judged"}
    assert _names(Group.TOPOLOGY) == {*topology_features(Scene.of(parsing)), *worst}


def test_an_unknown_feature_is_named() -> None:
    with pytest.raises(FeatureError, match="'moon_phase'"):
        find_feature("moon_phase")
    with pytest.raises(FeatureError, match="'moon_phase'"):
        FeatureVector.of({"moon_phase": 0.5})


def test_a_known_feature_is_found() -> None:
    assert find_feature("persons").unit == "count"


@given(st.fixed_dictionaries({}, optional=in_range))
def test_what_was_measured_comes_back(measured: dict[str, float]) -> None:
    vector = FeatureVector.of(measured)
    assert vector.collect_values() == measured
    assert FeatureVector.of(vector.collect_values()).collect_values() == measured
    assert len(vector) == len(list(vector)) == len(FEATURES)
    assert all(isnan(vector[name]) for name in FEATURE_NAMES if name not in measured)


def test_the_order_is_the_registrys_and_not_the_callers() -> None:
    vector = FeatureVector.of({"total_ms": 9.0, "width": 7.0})
    assert vector.values_in_order[FEATURE_NAMES.index("width")] == 7.0
    assert vector.values_in_order[-1] == 9.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("skin_share", 1.01),
        ("skin_share", -0.01),
        ("persons", -1.0),
        ("spectral_slope", inf),
        ("spectral_slope", -inf),
        ("upload_bytes", inf),
    ],
)
def test_a_value_outside_its_range_is_refused_with_its_name(name: str, value: float) -> None:
    with pytest.raises(FeatureError, match=name):
        FeatureVector.of({name: value})


def test_rounding_noise_at_a_limit_is_forgiven() -> None:
    assert FeatureVector.of({"max_softmax_mean": 1.0000002})["max_softmax_mean"] > 1


def test_an_unmeasured_feature_may_be_given_as_nan() -> None:
    assert FeatureVector.of({"width": nan, "height": 3.0}).collect_values() == {"height": 3.0}


def test_a_vector_is_a_mapping() -> None:
    vector = FeatureVector.of({"width": 5.0})
    assert vector.get("moon_phase") is None
    with pytest.raises(KeyError):
        vector["moon_phase"]


@pytest.mark.parametrize("value", [inf, -inf])
def test_no_vector_holds_an_infinite_value(value: float) -> None:
    values = (nan,) * (len(FEATURES) - 1)
    with pytest.raises(FeatureError, match="is infinite; NaN is for not measured"):
        FeatureVector((*values, value))


@pytest.mark.parametrize("count", [0, len(FEATURES) - 1, len(FEATURES) + 1])
def test_a_vector_has_a_value_for_each_feature(count: int) -> None:
    with pytest.raises(FeatureError, match=f"but {count} values"):
        FeatureVector((nan,) * count)

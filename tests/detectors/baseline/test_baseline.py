"""What is learnt from clean rows that a seeded generator draws, and what exceeds it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from math import exp, inf, isnan, log, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from detectors.baseline.attack_evidence import EVIDENCE, Evidence, Part
from detectors.baseline.baseline import (
    Baseline,
    BaselineError,
    CraftedScore,
    Expectation,
    Line,
    scales,
)
from detectors.baseline.baseline_fit import (
    MIN_PICTURES,
    expectation_of,
    learn,
)
from detectors.baseline.baseline_text import from_json, to_json
from detectors.baseline.columns import Columns
from detectors.topology.topology_limits import DEFAULTS, TopologyLimits
from tests.detectors.baseline.clean_rows import Row, make_rows

DIGEST = "0" * 64
BY_NAME = {evidence.name: evidence for evidence in EVIDENCE}
PRINTED, TORN = BY_NAME["printed_colours"], BY_NAME["torn_tile"]


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return learn(DIGEST, make_rows(1, 400), make_rows(2, 400))


@pytest.fixture(scope="module")
def held_out() -> list[Row]:
    return make_rows(3, 1500)


def test_a_picture_without_anybody_is_not_far_beyond_a_steep_line() -> None:
    def steep(row: Row) -> Row:
        divergence = 0.2 * row["glance_entropy"] * row["glance_tile_divergence"]
        return {**row, "glance_tile_divergence": divergence}

    rows = [steep(row) for row in make_rows(1, 400)]
    steep_baseline = learn("0" * 64, rows, [steep(row) for row in make_rows(2, 400)])
    empty = {"glance_entropy": 0.0, "glance_tile_divergence": 0.0, "jpeg_blockiness": 1.1}
    assert steep_baseline.score(empty).value <= 0
    torn = {**empty, "glance_tile_divergence": 0.3}
    assert steep_baseline.score(torn).value > steep_baseline.threshold(0.005)


@pytest.mark.parametrize(("rate", "least", "most"), [(0.02, 0.005, 0.05), (0.1, 0.06, 0.15)])
def test_about_the_stated_share_of_other_clean_rows_reaches_the_threshold(
    baseline: Baseline, held_out: list[Row], rate: float, least: float, most: float
) -> None:
    threshold = baseline.threshold(rate)
    reached = [baseline.cascade(row).value >= threshold for row in held_out]
    assert least <= sum(reached) / len(reached) <= most


def test_a_tenth_of_other_clean_rows_is_looked_at_again(
    baseline: Baseline, held_out: list[Row]
) -> None:
    first = [baseline.score(row, first_look=True).value for row in held_out]
    assert 0.06 <= sum(each >= baseline.look_again for each in first) / len(first) <= 0.15


@pytest.mark.parametrize(
    ("feature", "name"),
    [
        ("colour_detail_tile", "printed_colours"),
        ("glance_tile_divergence", "torn_tile"),
        ("glance_withdrawn_share", "withdrawn_parts"),
        ("glance_returned_person_share", "returned_persons"),
    ],
)
def test_a_planted_excess_leads_and_is_named(baseline: Baseline, feature: str, name: str) -> None:
    row = make_rows(4, 1)[0]
    planted = {**row, feature: 30 * row[feature]}
    first = baseline.score(planted, first_look=True)
    assert next(iter(first.excesses)).name == name
    assert first.value > baseline.threshold(0.001) > baseline.score(row).value
    assert name in {evidence.name for evidence in baseline.score(planted).list_main_evidence()}


def test_a_parse_that_is_unsure_may_move_more(baseline: Baseline) -> None:
    row = {**make_rows(4, 1)[0], "glance_tile_divergence": 0.1}
    excesses = [
        baseline.score({**row, "glance_entropy": entropy}).excesses[TORN]
        for entropy in (0.05, 0.2, 0.6)
    ]
    assert excesses == sorted(excesses, reverse=True)
    assert excesses[0] > excesses[-1] + 0.5


def test_what_was_not_measured_is_left_out(baseline: Baseline) -> None:
    row = make_rows(4, 1)[0]
    whole = baseline.score(row)
    partly = baseline.score({**row, "js_consensus": nan})
    assert {evidence.name for evidence in whole.excesses} == set(BY_NAME)
    assert {evidence for evidence in whole.excesses if not evidence.later} == set(partly.excesses)
    nothing = baseline.score({})
    assert isnan(nothing.value)
    assert nothing.excesses == nothing.list_main_evidence() == {}


def test_a_first_look_ignores_later_evidence_that_was_measured(baseline: Baseline) -> None:
    row = make_rows(4, 1)[0]
    odd = {**row, "js_consensus": 0.69}
    assert baseline.score(odd, first_look=True) == baseline.score(row, first_look=True)
    assert baseline.score(odd).value > baseline.score(row).value
    assert not any(each.later for each in baseline.score(odd, first_look=True).excesses)


def test_the_cascade_takes_later_evidence_of_odd_first_looks_only(
    baseline: Baseline, held_out: list[Row]
) -> None:
    for row in held_out[:200]:
        first = baseline.score(row, first_look=True)
        later = first.value >= baseline.look_again
        assert baseline.cascade(row) == (baseline.score(row) if later else first)


def test_at_most_three_pieces_lead_and_none_that_is_less_than_half_as_far_out() -> None:
    excesses = dict(zip(EVIDENCE, (4.0, 3.0, 2.0, 1.9, *[0.0] * 3), strict=True))
    assert list(CraftedScore(4.0, excesses).list_main_evidence()) == list(EVIDENCE[:3])
    assert list(CraftedScore(4.0, excesses).list_main_evidence(1)) == [EVIDENCE[0]]
    wide = dict(zip(EVIDENCE, (4.0, 1.9, 1.0, 0.0, *[-1.0] * 3), strict=True))
    assert list(CraftedScore(4.0, wide).list_main_evidence()) == [EVIDENCE[0]]


def test_an_excess_is_counted_in_units_of_what_is_rare() -> None:
    """By hand: e squared is 2 above a line at 0; its limit is 2, the evidence's limit 0.5."""
    part = Part(("width",))
    evidence = Evidence("wide", (part,), "It is wide.", "width", weight=0.6)
    expected = Expectation(evidence, (Line(part, 0.0, (), 2.0),), 0.5)
    assert expected.excess({"width": exp(2)}) == pytest.approx(1.2, abs=1e-4)
    assert isnan(expected.excess({}))


def test_factors_are_multiplied_and_nothing_at_all_has_a_logarithm() -> None:
    part = Part(("width", "height"), ("holes",))
    value, given_ = scales(part, {"width": 2.0, "height": 3.0, "holes": 0.0})
    assert value == pytest.approx(log(6), abs=1e-4)
    assert given_ == [log(1e-4)]
    assert isnan(scales(part, {"width": 2.0})[0])


def test_little_that_returns_counts_together_with_little_that_moves() -> None:
    """Each alone is within what clean pictures show; together they hardly ever come."""
    joined = BY_NAME["returned_persons_and_members"]
    learnt = learn("0" * 64, make_rows(1, 400), make_rows(2, 400))
    row = make_rows(4, 1)[0]
    both = {
        **row,
        "glance_returned_person_share": 2.2 * 0.05 * row["glance_entropy"],
        "js_consensus": 2.2 * 0.1 * row["glance_entropy"],
    }
    excesses = learnt.score(both).excesses
    assert excesses[joined] > 1.1
    assert excesses[BY_NAME["returned_persons"]] < excesses[joined]


@given(st.floats(1e-4, 0.5), st.floats(1e-4, 0.5))
def test_the_rarer_the_alarm_the_higher_the_threshold(one: float, other: float) -> None:
    scores = tuple(sorted(default_rng(5).exponential(size=200)))
    blank = Baseline("0" * 64, (), inf, tuple(float(each) for each in scores))
    rare, often = sorted((one, other))
    assert blank.threshold(rare) >= blank.threshold(often)


def test_the_threshold_goes_beyond_all_calibration_pictures(baseline: Baseline) -> None:
    assert baseline.threshold(1e-5) > max(baseline.scores)
    assert baseline.scores == tuple(sorted(baseline.scores))


def test_calibration_pictures_with_one_score_have_a_threshold() -> None:
    """Of copies of one picture: no score lies above the rest."""
    assert Baseline("0" * 64, (), inf, (0.4,) * 30).threshold(0.005) == 0.4


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.floats(1, 50))
def test_more_of_what_attacks_raise_never_lowers_the_score(seed: int, times: float) -> None:
    known = _LEARNT
    row = make_rows(seed, 1)[0]
    for feature in ("colour_detail_tile", "glance_tile_divergence", "js_consensus"):
        assert known.score({**row, feature: times * row[feature]}).value >= known.score(row).value


@pytest.mark.parametrize(("fit", "calibrate"), [(MIN_PICTURES, 29), (29, MIN_PICTURES), (0, 99)])
def test_too_few_pictures_are_said_in_a_sentence(fit: int, calibrate: int) -> None:
    least = 29 if 29 in (fit, calibrate) else 0
    with pytest.raises(BaselineError, match=rf"needs at least 30 .*there are {least}\.$"):
        learn("0" * 64, make_rows(1, fit), make_rows(2, calibrate))


def test_pictures_on_which_something_was_not_measured_do_not_count() -> None:
    rows: list[Mapping[str, float]] = [*make_rows(1, MIN_PICTURES), *({"width": 1.0},) * 9]
    few = expectation_of(PRINTED, Columns(rows[:MIN_PICTURES]))
    assert expectation_of(PRINTED, Columns(rows)) == few
    with pytest.raises(BaselineError, match="colour_detail_tile; there are 29"):
        expectation_of(PRINTED, Columns(rows[1:]))


def test_a_feature_that_never_changes_does_not_make_every_change_rare() -> None:
    rows = [{**row, "colour_detail_tile": 4.0} for row in make_rows(1, MIN_PICTURES)]
    expected = expectation_of(PRINTED, Columns(rows))
    assert expected.excess({"colour_detail_tile": 4.01}) < 1
    assert expected.excess({"colour_detail_tile": 4.0}) == pytest.approx(0, abs=1e-6)


def test_a_baseline_comes_back_from_its_text_to_the_last_bit(baseline: Baseline) -> None:
    assert from_json(to_json(baseline)) == baseline


def test_a_baseline_of_the_first_version_has_the_default_limits(baseline: Baseline) -> None:
    told = json.loads(to_json(replace(baseline, limits=TopologyLimits(0.007, 0.05, 0.03))))
    assert from_json(json.dumps(told)).limits == TopologyLimits(0.007, 0.05, 0.03)
    del told["limits"]
    assert from_json(json.dumps(told)).limits == DEFAULTS


@pytest.mark.parametrize(
    "limits",
    [
        [0.01, 0.06, 0.02],
        {"min_skin_share": 0.01},
        {"min_skin_share": 0.01, "max_trousers_gap": 0.06, "border_share": 0.02},
        {"min_skin_share": 0.01, "max_trousers_gap": 0.9, "min_hair_share": 0.02},
        {"min_skin_share": 0.01, "max_trousers_gap": nan, "min_hair_share": 0.02},
        {"min_skin_share": None, "max_trousers_gap": 0.06, "min_hair_share": 0.02},
    ],
)
def test_foreign_limits_are_refused(baseline: Baseline, limits: object) -> None:
    told = {**json.loads(to_json(baseline)), "limits": limits}
    with pytest.raises(BaselineError, match="learn one with `maskwatch model learn-baseline`"):
        from_json(json.dumps(told))


def test_limits_are_learnt_with_the_lines() -> None:
    rows, near = make_rows(1, MIN_PICTURES), DEFAULTS.list_learnt()
    wide = [{**near, "max_trousers_gap": 0.08}] * MIN_PICTURES
    assert learn("0" * 64, rows, rows, wide).limits.max_trousers_gap == pytest.approx(0.08)
    assert learn("0" * 64, rows, rows).limits == DEFAULTS


def test_a_baseline_of_one_kind_of_photo_lacks_what_is_optional_and_judges_without() -> None:
    evidence = [each for each in EVIDENCE if not each.is_optional]
    learnt = learn("0" * 64, make_rows(1, 100), make_rows(2, 100), evidence=evidence)
    assert len(evidence) < len(EVIDENCE)
    assert from_json(to_json(learnt)) == learnt
    returned = {**make_rows(4, 1)[0], "glance_returned_person_share": 1.0}
    assert learnt.score(returned) == learnt.score(make_rows(4, 1)[0])


def _damaged(baseline: Baseline) -> list[str]:
    text = to_json(baseline)
    return [
        "",
        "[]",
        "3",
        "null",
        "{}",
        '{"segmenter": "0", "look_again": 1, "scores": [], "expectations": []}',
        text.replace("torn_tile", "worn_tile"),
        text.replace('"look_again": ', '"look_again": "high", "before": '),
        text.replace('"lines": [', '"lines": [[0, [], 1],'),
        text[:-20],
        to_json(replace(baseline, scores=())),
    ]


@pytest.mark.parametrize("kind", range(11))
def test_a_foreign_text_is_said_to_be_no_baseline(baseline: Baseline, kind: int) -> None:
    with pytest.raises(BaselineError, match="learn one with `maskwatch model learn-baseline`"):
        from_json(_damaged(baseline)[kind])


def test_slopes_of_another_number_of_features_are_refused(baseline: Baseline) -> None:
    (torn,) = (each for each in baseline.expectations if each.evidence is TORN)
    slope = str(torn.lines[0].slopes[0])
    with pytest.raises(BaselineError):
        from_json(to_json(baseline).replace(slope, f"{slope}, 0.5", 1))


_LEARNT = learn("0" * 64, make_rows(1, 100), make_rows(2, 100))

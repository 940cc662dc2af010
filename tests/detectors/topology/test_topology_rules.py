"""The topology rules on hand-built people, on both sides of every limit."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.findings import Finding
from detectors.parsing import Parsing
from detectors.rule_book import (
    FACELESS_HEAD,
    HEADLESS_BODY,
    NO_PERSON,
    SKIN_SHARE_LOW,
    TROUSERS_WITHOUT_FEET,
)
from detectors.topology.persons import Scene
from detectors.topology.topology_limits import TopologyLimits
from detectors.topology.topology_rules import topology_extremes, topology_findings

LIMITS = TopologyLimits()
FACELESS = {"face": None, "hair": (0, 40, 20, 40)}
KINDS: dict[str, Any] = {
    "whole": {},
    "in a skirt": {"pants": None, "skirt": (100, 180, 12, 48)},
    "without skin": {**FACELESS, "arm": None},
    "without feet": {"shoes": None},
    "without skin and feet": {**FACELESS, "arm": None, "shoes": None},
}


def _findings(parsing: Parsing) -> tuple[Finding, ...]:
    return topology_findings(Scene.of(parsing), LIMITS)


def _codes(parsing: Parsing) -> set[str]:
    return {finding.rule.code for finding in _findings(parsing)}


def test_a_whole_person_gives_no_finding(draw: Any) -> None:
    assert _findings(draw({})) == ()


def test_a_picture_without_a_person_is_found(draw: Any, parse: Any) -> None:
    assert _findings(draw()) == (Finding(NO_PERSON, {"foreground_share": 0.0}),)
    speck = np.zeros((100, 100), dtype=np.uint8)
    speck[10:15, 10:14] = 4
    assert _findings(parse(speck)) == (Finding(NO_PERSON, {"foreground_share": 0.002}),)


@pytest.mark.parametrize(("arm_rows", "fires"), [(6, True), (7, False)])
def test_skin_below_one_percent_is_found(draw: Any, arm_rows: int, fires: bool) -> None:
    parsing = draw({**FACELESS, "arm": (45, 45 + arm_rows, 0, 10)})
    assert (SKIN_SHARE_LOW.code in _codes(parsing)) is fires


def test_skin_is_found_low_with_its_number_and_person(draw: Any) -> None:
    larger = {"upper_clothes": (40, 100, 5, 60)}
    finding, *_ = _findings(draw(KINDS["without skin"], larger))
    assert (finding.rule, dict(finding.evidence)) == (
        SKIN_SHARE_LOW,
        {"person": 1.0, "skin_share": 0.0},
    )


@pytest.mark.parametrize(("gap", "fires"), [(0, False), (12, False), (13, True), (40, True)])
def test_trousers_that_end_in_the_air_are_found(draw: Any, gap: int, fires: bool) -> None:
    # A bag beside the trousers keeps the person in one piece; 0.06 body heights are 12 rows.
    changed = {"pants": (100, 180 - gap, 12, 48), "bag": (90, 200, 48, 56)}
    found = _findings(draw(changed))
    assert [finding.rule for finding in found] == [TROUSERS_WITHOUT_FEET] * fires
    if fires:
        assert found[0].evidence["gap"] == pytest.approx(gap / 200)


@pytest.mark.parametrize(("gap", "fires"), [(10, False), (11, True), (40, True)])
def test_feet_that_a_gap_cuts_off_are_still_measured(draw: Any, gap: int, fires: bool) -> None:
    # The body is as high as what is in one piece: 170 rows with a gap of 10.
    found = _findings(draw({"pants": (100, 180 - gap, 12, 48)}))
    assert [finding.rule for finding in found] == [TROUSERS_WITHOUT_FEET] * fires


def test_the_feet_of_a_neighbour_hold_nobody_elses_trousers(draw: Any) -> None:
    neighbour: dict[str, Any] = {}
    found = _findings(draw({"shoes": None}, neighbour))
    assert [finding.rule for finding in found] == [TROUSERS_WITHOUT_FEET]


def test_bare_legs_hold_trousers_as_well_as_feet_do(draw: Any) -> None:
    shorts = {"pants": (100, 130, 12, 48), "leg": (130, 200, 12, 48), "shoes": None}
    assert _findings(draw(shorts)) == ()


def test_no_foot_at_all_counts_as_a_whole_body_height(draw: Any) -> None:
    [finding] = _findings(draw({"shoes": None}))
    assert (finding.rule, dict(finding.evidence)) == (
        TROUSERS_WITHOUT_FEET,
        {"person": 0.0, "gap": 1.0},
    )
    [place] = finding.places
    assert (place.part, place.top < place.bottom, place.left < place.right) == ("lower", True, True)


@pytest.mark.parametrize(("rows", "fires"), [(9, False), (10, True)])
def test_small_trousers_are_not_judged(draw: Any, rows: int, fires: bool) -> None:
    # 3,750 other pixels; trousers of 36 columns reach 8 % of the person in the tenth row.
    parsing = draw({"pants": (100, 100 + rows, 12, 48), "shoes": None})
    assert (TROUSERS_WITHOUT_FEET.code in _codes(parsing)) is fires


@pytest.mark.parametrize(("free_rows", "fires"), [(0, False), (7, False), (8, True)])
def test_trousers_cut_off_by_the_picture_are_not_judged(
    draw: Any, free_rows: int, fires: bool
) -> None:
    # Without shoes the person is 180 rows high; 0.04 body heights are 7.2 rows.
    parsing = draw({"shoes": None}, below=free_rows - 20)
    assert (TROUSERS_WITHOUT_FEET.code in _codes(parsing)) is fires


def test_one_attacked_person_among_several_is_found(draw: Any) -> None:
    parsing = draw({}, KINDS["without feet"], KINDS["without skin"])
    by_code = {finding.rule.code: finding for finding in _findings(parsing)}
    judged = (SKIN_SHARE_LOW.code, TROUSERS_WITHOUT_FEET.code)
    assert set(by_code) == {*judged, FACELESS_HEAD.code}
    assert len({by_code[code].evidence["person"] for code in judged}) == 2


@pytest.mark.parametrize("above", [0, 40])
def test_a_body_without_a_head_is_odd_unless_the_picture_cuts_it_off(draw: Any, above: int) -> None:
    whole = draw({"hair": None, "face": None})
    rows = np.flatnonzero((whole.label_map > 0).any(axis=1))
    label_map = np.pad(whole.label_map[rows[0] :], ((above, 0), (0, 0)))
    found = _findings(Parsing(whole.probabilities, label_map, whole.labels))
    assert [finding.rule for finding in found] == [HEADLESS_BODY] * (above > 0)
    assert all(finding.places[0].top == above for finding in found)


def test_hair_without_a_face_is_odd_and_placed(draw: Any) -> None:
    [finding] = _findings(draw(FACELESS))
    assert (finding.rule, finding.places[0].part) == (FACELESS_HEAD, "hair")


def test_someone_elses_feet_do_not_count(draw: Any) -> None:
    assert _codes(draw({}, {"shoes": None})) == {TROUSERS_WITHOUT_FEET.code}


@pytest.mark.parametrize(
    ("persons", "extremes"),
    [
        ([], {}),
        # Skin is 1,030 pixels of 7,350; hair without a face 800 of 6,080.
        (["whole"], (1030 / 7350, 0.0, 0.0)),
        (["whole", "without feet"], (1030 / 7350, 1.0, 0.0)),
        (["without skin and feet", "whole"], (0.0, 1.0, 800 / 6080)),
    ],
)
def test_the_worst_person_says_how_near_a_scene_comes_to_each_limit(
    draw: Any, persons: list[str], extremes: Any
) -> None:
    found = topology_extremes(Scene.of(draw(*(KINDS[kind] for kind in persons))))
    assert list(found) == (
        ["min_skin_share", "max_trousers_gap", "min_hair_share"] * bool(extremes)
    )
    assert tuple(found.values()) == pytest.approx(tuple(extremes))


def test_a_scene_that_comes_near_a_limit_is_found_just_beyond_it(draw: Any) -> None:
    scene = Scene.of(draw({**FACELESS, "pants": (100, 160, 12, 48), "bag": (90, 200, 48, 56)}))
    skin, gap, hair = topology_extremes(scene).values()
    assert topology_findings(scene, TopologyLimits(skin, gap, hair + 1e-9)) == ()
    strict = TopologyLimits(skin + 1e-9, gap - 1e-9, hair)
    found = [finding.rule for finding in topology_findings(scene, strict)]
    assert found == [SKIN_SHARE_LOW, TROUSERS_WITHOUT_FEET, FACELESS_HEAD]


def test_limits_are_settings(draw: Any) -> None:
    scene = Scene.of(draw({}))
    strict = TopologyLimits(min_skin_share=0.5)
    assert [finding.rule for finding in topology_findings(scene, strict)] == [SKIN_SHARE_LOW]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(KINDS)), max_size=3), st.booleans(), st.integers(1, 4))
def test_findings_do_not_depend_on_order_mirroring_or_scale(
    draw: Any, parse: Any, kinds: list[str], mirrored: bool, scale: int
) -> None:
    label_map = draw(*(KINDS[kind] for kind in kinds)).label_map
    label_map = label_map[:, ::-1] if mirrored else label_map
    enlarged = np.kron(label_map, np.ones((scale, scale), dtype=np.uint8))
    expected = {NO_PERSON.code} if not kinds else set()
    for kind in kinds:
        expected |= {SKIN_SHARE_LOW.code, FACELESS_HEAD.code} if "skin" in kind else set()
        expected |= {TROUSERS_WITHOUT_FEET.code} if "feet" in kind else set()
    assert _codes(parse(enlarged)) == expected


@pytest.mark.parametrize("trousers", ["Pants", "Jumpsuits"])
def test_trousers_of_any_label_list_are_judged(draw: Any, trousers: str) -> None:
    spelled = {"pants": trousers, "upper_clothes": "UpperClothes", "shoes": "Left-shoe"}
    for shoes in ((180, 200, 12, 48), None):
        parsing = draw({"shoes": shoes})
        labels = tuple(spelled.get(label, label.title()) for label in parsing.labels)
        found = _codes(replace(parsing, labels=labels))
        assert (TROUSERS_WITHOUT_FEET.code in found) is (shoes is None)


def test_gloves_are_no_skin_and_a_bare_torso_is(draw: Any) -> None:
    parsing = draw({**FACELESS})
    for label, fires in (("Glove", True), ("Torso-skin", False)):
        labels = tuple(label if each == "arm" else each for each in parsing.labels)
        assert (SKIN_SHARE_LOW.code in _codes(replace(parsing, labels=labels))) is fires


@pytest.mark.parametrize(
    ("limits", "fires"),
    [
        (replace(LIMITS, min_person_share=0.2), True),
        (replace(LIMITS, min_person_share=0.4), False),
        (replace(LIMITS, min_sureness=0.69), True),
        (replace(LIMITS, min_sureness=0.71), False),
    ],
)
def test_only_persons_that_are_large_and_sure_enough_are_judged(
    draw: Any, limits: TopologyLimits, fires: bool
) -> None:
    parsing = draw(KINDS["without skin and feet"])
    # 6,080 of 26,000 pixels, each with seven tenths for its label.
    unsure = 0.7 * parsing.probabilities + 0.3 / (len(parsing.labels) - 1) * (
        1 - parsing.probabilities
    )
    scene = Scene.of(replace(parsing, probabilities=unsure.astype(np.float32)))
    [person] = scene.persons
    assert (person.area_share, person.sureness) == pytest.approx((6080 / 26000, 0.7), abs=1e-6)
    assert bool(topology_findings(scene, limits)) is fires
    assert bool(topology_extremes(scene, limits)) is fires


def test_a_scene_of_persons_that_are_not_judged_is_no_scene_without_persons(draw: Any) -> None:
    scene = Scene.of(draw(KINDS["without feet"]))
    assert topology_findings(scene, replace(LIMITS, min_person_share=1.0)) == ()

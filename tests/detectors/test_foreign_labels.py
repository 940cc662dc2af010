"""Labels that no list has, translated to part groups: everything is measured as with known ones."""

from dataclasses import replace
from math import isnan

import numpy as np
import pytest

from detectors.looks.ensemble_features import consensus_features, consensus_of, worst_region_iou
from detectors.looks.local_features import Contrast
from detectors.looks.squeeze_features import patch_consistency, squeeze_features
from detectors.looks.triggers import measure_return
from detectors.model_features import model_features
from detectors.parsing import LabelMap, Parsing
from detectors.parts import PartGroup, group_indices, unknown_labels
from detectors.resample import Box
from detectors.topology.persons import Scene
from detectors.topology.topology_features import topology_features
from detectors.topology.topology_limits import TopologyLimits
from detectors.topology.topology_rules import topology_extremes, topology_findings

# The parts of BodyPix, and what detectors know them as.
GROUP_OF_NAME = {
    **dict.fromkeys(("left face", "right face"), "face"),
    **{
        f"{side} {part} {way}": group
        for part, group in {
            "upper arm": "arms",
            "lower arm": "arms",
            "upper leg": "legs",
            "lower leg": "legs",
        }.items()
        for side in ("left", "right")
        for way in ("front", "back")
    },
    **dict.fromkeys(("left hand", "right hand"), "arms"),
    **dict.fromkeys(("torso front", "torso back"), "torso"),
    **dict.fromkeys(("left foot", "right foot"), "feet"),
}
NAMES = ("background", *GROUP_OF_NAME)
TRANSLATION = ("background", *GROUP_OF_NAME.values())
LIMITS = TopologyLimits()


def _person(names: tuple[str, ...] = NAMES) -> LabelMap:
    """One person, 200 rows high; parts that ``names`` lack take their last label."""
    boxes = {
        "left face": (0, 40, 20, 30),
        "right face": (0, 40, 30, 40),
        "torso front": (40, 110, 10, 50),
        "left lower arm front": (45, 110, 0, 10),
        "left upper leg front": (110, 180, 12, 30),
        "right upper leg front": (110, 180, 30, 48),
        "left foot": (180, 200, 12, 48),
    }
    label_map = np.zeros((240, 100), dtype=np.uint8)
    for name, (top, bottom, left, right) in boxes.items():
        label = names.index(name) if name in names else len(names) - 1
        label_map[20 + top : 20 + bottom, 20 + left : 20 + right] = label
    return label_map


def _parsing(
    label_map: LabelMap, names: tuple[str, ...] = NAMES, translation: tuple[str, ...] | None = None
) -> Parsing:
    one_hot = np.eye(len(names), dtype=np.float32)[label_map].transpose(2, 0, 1)
    return Parsing(np.ascontiguousarray(one_hot), label_map, names, None, translation)


FOREIGN = _parsing(_person(), NAMES, TRANSLATION)


def test_the_list_has_all_parts() -> None:
    assert len(NAMES) == 25
    assert len(unknown_labels(NAMES)) == 24
    assert unknown_labels(TRANSLATION) == ()


def test_model_features_come_out_by_part_group() -> None:
    features = model_features(FOREIGN)
    assert features["confidence_face"] == features["confidence_arms"] == 1.0
    assert features["confidence_legs"] == features["confidence_clothes"] == 1.0
    assert isnan(features["confidence_hair"])
    assert features["entropy_mean"] == pytest.approx(0, abs=1e-6)
    assert features["margin_mean"] == features["max_softmax_mean"] == 1.0


def test_a_translated_person_is_whole() -> None:
    scene = Scene.of(FOREIGN)
    features = topology_features(scene)
    assert features["persons"] == 1
    assert features["headless_share"] == features["head_torso_gap"] == 0
    assert 0 < features["skin_share"] < 1
    assert topology_findings(scene, LIMITS) == ()


def test_rules_judge_translated_parts() -> None:
    label_map = _person()
    label_map[label_map == NAMES.index("left face")] = 0
    label_map[label_map == NAMES.index("right face")] = 0
    findings = topology_findings(Scene.of(_parsing(label_map, NAMES, TRANSLATION)), LIMITS)
    assert [finding.rule.code for finding in findings] == ["headless_body"]


@pytest.mark.parametrize(
    "translation",
    [
        ("background", *["other"] * 24),
        ("background", *["hair"] * 2, *["pants"] * 22),
        ("background", *["other"] * 2, *["pants"] * 22),
    ],
    ids=["nothing known", "no face", "no head and no feet"],
)
def test_rules_judge_nobody_by_parts_that_the_labels_cannot_name(
    translation: tuple[str, ...],
) -> None:
    scene = Scene.of(_parsing(_person(), NAMES, translation))
    assert topology_features(scene)["persons"] == 1
    assert topology_findings(scene, LIMITS) == ()
    assert not any(np.isnan(list(topology_extremes(scene).values())))


def test_one_label_is_enough_for_a_person_where_there_is_one_only() -> None:
    label_map = (_person() > 0).astype(np.uint8)
    assert len(Scene.of(_parsing(label_map, ("background", "person"))).persons) == 1
    assert Scene.of(_parsing(label_map)).persons == ()
    parted = replace(_parsing(label_map, ("background", "person")), persons=label_map)
    assert len(Scene.of(parted).persons) == 1


def test_no_head_among_the_labels_is_no_headless_person() -> None:
    names = ("background", "torso front", "left foot")
    features = topology_features(Scene.of(_parsing(_person(names), names)))
    assert isnan(features["headless_share"])


def test_unknown_labels_are_compared_as_a_group_of_their_own() -> None:
    before, after = FOREIGN.winners, np.where(FOREIGN.winners == 13, 0, FOREIGN.winners)
    assert isnan(worst_region_iou(before, before * 0, ("background",) * 25))
    assert worst_region_iou(before, before, NAMES) == 1
    assert worst_region_iou(before, after, NAMES) < 1
    assert group_indices(NAMES, [PartGroup.OTHER]) == list(range(1, 25))


def test_a_trigger_can_hide_unknown_labels() -> None:
    floor = np.zeros((240, 100), np.float32)
    result = measure_return(floor, FOREIGN.probabilities, Box(0, 0.05, 0, 0.05), NAMES)
    assert result.part is PartGroup.OTHER
    assert result.shares["other"] == 1


def test_looks_at_one_hot_labels_are_finite_and_bounded() -> None:
    faceless = _person()
    faceless[:60] = 0
    look = replace(FOREIGN, label_map=faceless)
    look = _parsing(look.label_map, NAMES, TRANSLATION)
    members = [FOREIGN.probabilities, look.probabilities, FOREIGN.probabilities]
    measured = {
        **Contrast.of(FOREIGN.probabilities, look.probabilities, TRANSLATION).features("glance"),
        **consensus_features(look.probabilities, consensus_of(members), TRANSLATION),
        **squeeze_features(look.probabilities, {"jpeg": FOREIGN.probabilities}),
        "patch_consistency": patch_consistency(look.probabilities, FOREIGN.probabilities),
    }
    values = {name: value for name, value in measured.items() if not isnan(value)}
    assert set(measured) - set(values) == {"hidden_hair_share"}
    assert all(0 <= value <= 3.3 for value in values.values())
    assert values["hidden_face_share"] == 1
    assert values["glance_entropy"] == pytest.approx(0, abs=1e-6)


def test_equal_one_hot_looks_do_not_differ_at_all() -> None:
    parse = FOREIGN.probabilities
    measured = {
        **Contrast.of(parse, parse, TRANSLATION).features("glance"),
        **consensus_features(parse, consensus_of([parse] * 3), TRANSLATION),
    }
    names = ("divergence", "js", "variance", "information", "disagreement", "returned", "withdrawn")
    moved = [value for name, value in measured.items() if any(each in name for each in names)]
    assert len(moved) > 10
    assert moved == pytest.approx([0.0] * len(moved), abs=1e-6)

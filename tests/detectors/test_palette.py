"""Colours that can be told apart, also where a kind of cones is missing."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from detectors.label_lists import LABEL_LISTS, label_words
from detectors.palette import colour_of, colour_table

# In linear RGB: Machado, Oliveira and Fernandes, IEEE TVCG 2009, severity 1.
FULL = np.eye(3)
DEUTERANOPIA = np.array(
    [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]
)
PROTANOPIA = np.array(
    [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]
)
FLESH = ("face", "left arm", "right arm", "arm")
GARMENTS = ("upper clothes", "coat", "dress", "jumpsuits")
LIMBS = ("left leg", "right leg", "leg")
SHOES = ("left shoe", "right shoe", "shoes", "socks")
# What lies side by side on a body.
NEIGHBOURS = [
    *(("face", other) for other in ("hair", "hat", "sunglasses", "scarf", *GARMENTS)),
    *((arm, garment) for arm in FLESH for garment in GARMENTS),
    *((leg, other) for leg in LIMBS for other in ("pants", "skirt", "dress", *SHOES)),
    *(("pants", other) for other in ("upper clothes", "coat", *SHOES)),
    ("coat", "upper clothes"),
    ("coat", "dress"),
]


def _lab(labels: tuple[str, ...], sight: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """CIE Lab rows of the labels' colours as they are seen."""
    coded = colour_table(labels) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ sight.T, 0, 1)
    coded = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = cv2.cvtColor(coded[None].astype(np.float32), cv2.COLOR_RGB2LAB)
    return np.asarray(lab[0], dtype=np.float32)


def _min_distance(labels: tuple[str, ...], sight: npt.NDArray[np.float64]) -> float:
    lab = _lab(labels, sight)
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=2)
    return float(distances[~np.eye(len(labels), dtype=np.bool_)].min())


@pytest.mark.parametrize("name", LABEL_LISTS)
def test_every_label_has_a_colour_of_its_own(name: str) -> None:
    labels = LABEL_LISTS[name]
    assert len({colour_of(label) for label in labels}) == len(labels)
    assert colour_of("tentacle") not in {colour_of(label) for label in labels}
    assert colour_of(labels[0]) == (0, 0, 0)


@pytest.mark.parametrize("name", LABEL_LISTS)
@pytest.mark.parametrize(
    ("sight", "least"),
    [(FULL, 21), (DEUTERANOPIA, 11), (PROTANOPIA, 10)],
    ids=["full", "deuteranopia", "protanopia"],
)
def test_colours_of_one_list_can_be_told_apart(
    name: str, sight: npt.NDArray[np.float64], least: float
) -> None:
    assert _min_distance(LABEL_LISTS[name][1:], sight) >= least


def test_neighbours_on_a_body_are_far_apart() -> None:
    for sight, least in ((FULL, 30), (DEUTERANOPIA, 15), (PROTANOPIA, 15)):
        found = {pair: _min_distance(pair, sight) for pair in NEIGHBOURS}
        assert min(found.values()) >= least, min(found, key=lambda pair: found[pair])


@pytest.mark.parametrize("part", ["arm", "leg", "shoe"])
def test_left_and_right_are_two_shades_of_one_hue(part: str) -> None:
    left, right = _lab((f"left {part}", f"right {part}"), FULL)
    hues = [np.degrees(np.arctan2(lab[2], lab[1])) for lab in (left, right)]
    assert abs(hues[0] - hues[1]) < 20
    assert left[0] - right[0] > 10


def test_the_colour_does_not_depend_on_the_spelling() -> None:
    for labels in LABEL_LISTS.values():
        assert all(colour_of(label) == colour_of(label_words(label)) for label in labels)


def test_a_part_group_has_the_colour_of_its_part() -> None:
    assert colour_of("arms") == colour_of("arm")
    assert colour_of("Bare torso") == colour_of("torso skin")
    assert colour_of("other") == colour_of("tentacle")

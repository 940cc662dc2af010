"""People made of a few rectangles, so that every number can be checked by hand."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pytest

from detectors.parsing import LabelMap, Parsing

LABELS = (
    "background",
    "hat",
    "hair",
    "glasses",
    "upper_clothes",
    "coat",
    "dress",
    "skirt",
    "pants",
    "socks",
    "shoes",
    "bag",
    "face",
    "arm",
    "leg",
)
Box = tuple[int, int, int, int]
# Top, bottom, left, right of each part; the whole person is 200 high.
PARTS: dict[str, Box] = {
    "hair": (0, 16, 20, 40),
    "face": (16, 40, 20, 40),
    "upper_clothes": (40, 100, 10, 50),
    "arm": (45, 100, 0, 10),
    "pants": (100, 180, 12, 48),
    "shoes": (180, 200, 12, 48),
}


class Draw(Protocol):
    """Each person is given by what is changed about it; ``None`` leaves a part out."""

    def __call__(self, *people: Mapping[str, Box | None], below: int = 40) -> Parsing: ...


class Parse(Protocol):
    def __call__(self, label_map: LabelMap) -> Parsing: ...


def parsing_of(label_map: LabelMap) -> Parsing:
    """A parsing that is quite sure of its label map."""
    probabilities = np.eye(len(LABELS), dtype=np.float32)[label_map].transpose(2, 0, 1)
    return Parsing(probabilities, label_map, LABELS)


def draw_people(*people: Mapping[str, Box | None], below: int = 40) -> Parsing:
    """People side by side in columns of 100 pixels, 20 rows above and ``below`` rows below them."""
    label_map = np.zeros((220 + below, 100 * max(1, len(people))), dtype=np.uint8)
    for column, changed in enumerate(people):
        for part, box in {**PARTS, **changed}.items():
            if box is not None:
                top, bottom, left, right = box
                columns = slice(100 * column + 20 + left, 100 * column + 20 + right)
                label_map[20 + top : 20 + bottom, columns] = LABELS.index(part)
    return parsing_of(label_map)


@pytest.fixture(scope="session")
def draw() -> Draw:
    return draw_people


@pytest.fixture(scope="session")
def parse() -> Parse:
    return parsing_of

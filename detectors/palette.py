"""One colour per part, the same in every answer, page and document.

Left and right are two shades of one hue. The colours were searched for the largest least distance
in CIE Lab within each label list, for full colour vision and with red or green cones missing;
``tests/detectors/test_palette.py`` states how far apart they are.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from detectors.label_lists import BACKGROUND, label_words

Colour = tuple[int, int, int]

# Keys in the spelling of `label_words`.
_COLOURS: dict[str, Colour] = {
    BACKGROUND: (0, 0, 0),
    "hat": (190, 152, 252),
    "hair": (113, 47, 36),
    "glasses": (22, 59, 104),
    "sunglasses": (22, 59, 104),
    "face": (239, 183, 90),
    "upper clothes": (106, 134, 214),
    "coat": (58, 187, 213),
    "dress": (221, 117, 163),
    "jumpsuits": (117, 90, 214),
    "torso skin": (216, 181, 163),
    "arm": (224, 131, 0),
    "left arm": (224, 131, 0),
    "right arm": (155, 84, 20),
    "glove": (99, 78, 67),
    "pants": (25, 91, 113),
    "skirt": (218, 214, 229),
    "leg": (190, 232, 157),
    "left leg": (190, 232, 157),
    "right leg": (114, 181, 100),
    "socks": (184, 213, 36),
    "shoes": (195, 65, 59),
    "left shoe": (195, 65, 59),
    "right shoe": (132, 24, 2),
    "scarf": (203, 13, 131),
    "belt": (100, 47, 65),
    "bag": (115, 119, 94),
}
# A whole part group, where a label says no more, by the part that mostly shows it.
_PARTS_OF_GROUPS = {
    "head": "hat",
    "torso": "upper clothes",
    "bare torso": "torso skin",
    "arms": "arm",
    "lower": "pants",
    "legs": "leg",
    "feet": "shoes",
    "accessories": "bag",
}
_UNKNOWN: Colour = (199, 199, 199)


def colour_of(label: str) -> Colour:
    """RGB of a label in any spelling; grey for one that the palette does not know."""
    words = label_words(label)
    return _COLOURS.get(_PARTS_OF_GROUPS.get(words, words), _UNKNOWN)


def colour_table(labels: Sequence[str]) -> npt.NDArray[np.uint8]:
    """RGB rows ``(C, 3)`` uint8 in label order."""
    return np.array([colour_of(label) for label in labels], dtype=np.uint8)

"""One colour per label, the same in every answer, page and document."""

import numpy as np
import numpy.typing as npt

_COLOURS: dict[str, tuple[int, int, int]] = {
    "background": (0, 0, 0),
    "hat": (148, 103, 189),
    "hair": (140, 86, 75),
    "glasses": (31, 41, 55),
    "upper_clothes": (31, 119, 180),
    "coat": (23, 190, 207),
    "dress": (227, 119, 194),
    "skirt": (197, 176, 213),
    "pants": (44, 82, 130),
    "socks": (188, 189, 34),
    "shoes": (214, 39, 40),
    "bag": (127, 127, 127),
    "face": (255, 187, 120),
    "arm": (255, 127, 14),
    "leg": (152, 223, 138),
}


def colour_of(label: str) -> tuple[int, int, int]:
    """RGB of a label; grey for one that the palette does not know."""
    return _COLOURS.get(label, (199, 199, 199))


def colour_table(labels: tuple[str, ...]) -> npt.NDArray[np.uint8]:
    """RGB rows ``(C, 3)`` uint8 in label order."""
    return np.array([colour_of(label) for label in labels], dtype=np.uint8)

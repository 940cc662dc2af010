"""The colour composite: a label map laid over its picture, outlined, with a legend.

Answers, kept evidence and the command line show what is drawn here.
"""

from math import ceil

import cv2
import numpy as np

from detectors.palette import colour_table
from detectors.parsing import Image, LabelMap, Parsing
from detectors.sizes import scaled_size
from inference.answer.legend import PAPER, draw_legend

_MAX_SIDE = 1280
_LEGIBLE_SIDE = 256
_OPACITY = 0.55
_SHADE = 0.35
_SIDE_PER_LINE = 640


def colour_composite(image: Image, parsing: Parsing, max_side: int = _MAX_SIDE) -> Image:
    """A parsing over its picture, at most ``max_side`` pixels long, with a legend at the right.

    A picture under 256 pixels is enlarged by a whole number, and one that is lower than its legend
    gets white below it. The same parsing gives the same pixels.
    """
    side = max(image.shape[:2])
    times = ceil(_LEGIBLE_SIDE / side)
    overlay = _overlay(image, parsing, float(times) if times > 1 else min(1.0, max_side / side))
    legend = draw_legend(parsing, overlay.shape[0])
    missing_rows = legend.shape[0] - overlay.shape[0]
    page = cv2.copyMakeBorder(overlay, 0, missing_rows, 0, 0, cv2.BORDER_CONSTANT, value=PAPER)
    return np.hstack([page, legend]).astype(np.uint8, copy=False)


def mask_overlay(image: Image, parsing: Parsing, max_side: int = _MAX_SIDE) -> Image:
    """Draw a parsing over its picture, at most ``max_side`` pixels long.

    Parts are tinted and outlined; persons, where the model tells them apart, more strongly.

    Args:
        image: RGB ``(H, W, 3)`` uint8.
        parsing: its parsing; the label map has the picture's size.
    """
    return _overlay(image, parsing, min(1.0, max_side / max(image.shape[:2])))


def _overlay(image: Image, parsing: Parsing, scale: float) -> Image:
    size = scaled_size(image.shape[0], image.shape[1], scale)
    label_map = _resize(parsing.label_map, size)
    way = cv2.INTER_AREA if scale <= 1 else cv2.INTER_NEAREST
    picture = cv2.resize(image, size, interpolation=way).astype(np.uint8, copy=False)
    overlay = _tint(picture, label_map, parsing.parts)
    line = max(1, round(max(size) / _SIDE_PER_LINE))
    _outline(overlay, label_map, line)
    if parsing.persons is not None:
        _outline(overlay, _resize(parsing.persons, size), 2 * line)
    return overlay


def _resize(values: LabelMap, size: tuple[int, int]) -> LabelMap:
    result = cv2.resize(values, size, interpolation=cv2.INTER_NEAREST)
    return result.astype(np.uint8, copy=False)


def _tint(picture: Image, label_map: LabelMap, labels: tuple[str, ...]) -> Image:
    """The picture with its foreground in the labels' colours, the background as it was."""
    table = np.zeros((256, 1, 3), dtype=np.uint8)
    table[: len(labels), 0] = colour_table(labels)
    colours = cv2.LUT(cv2.merge([label_map] * 3), table)
    overlay = cv2.addWeighted(picture, 1 - _OPACITY, colours, _OPACITY, 0)
    cv2.copyTo(picture, (label_map == 0).astype(np.uint8), overlay)
    return np.asarray(overlay, dtype=np.uint8)


def _outline(overlay: Image, regions: LabelMap, line: int) -> None:
    """White lines between regions, a dark hairline beside them: seen on white and on black."""
    square = np.ones((line + 1, line + 1), np.uint8)
    edges = cv2.morphologyEx(regions, cv2.MORPH_GRADIENT, square)
    beside = cv2.dilate(edges, np.ones((2, 2), np.uint8), anchor=(0, 0))
    cv2.copyTo(cv2.convertScaleAbs(overlay, alpha=_SHADE), beside, overlay)
    overlay[edges > 0] = 255

"""The colour composite: a label map laid over its picture, outlined, with a legend."""

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from detectors.palette import colour_of, colour_table
from detectors.parsing import Image, LabelMap, Parsing
from detectors.sizes import scaled_size

_MAX_SIDE = 1280
_OPACITY = 0.55
_INK = (31, 41, 55)
_PAPER = (255, 255, 255)


def colour_composite(image: Image, parsing: Parsing, max_side: int = _MAX_SIDE) -> Image:
    """A parsing over its picture, at most ``max_side`` pixels long, with a legend at the right."""
    blended = mask_overlay(image, parsing, max_side)
    return np.hstack([blended, _legend(parsing.present_labels(), blended.shape[0])])


def mask_overlay(image: Image, parsing: Parsing, max_side: int = _MAX_SIDE) -> Image:
    """Draw a parsing over its picture, at most ``max_side`` pixels long.

    Args:
        image: RGB ``(H, W, 3)`` uint8.
        parsing: its parsing; the label map has the picture's size.
    """
    picture, label_map = _bounded(image, parsing.label_map, max_side)
    colours = colour_table(parsing.labels)[label_map]
    alpha = np.where(label_map > 0, _OPACITY, 0.0)[..., None]
    blended: Image = (picture * (1 - alpha) + colours * alpha).astype(np.uint8)
    blended[_outline(label_map)] = 255
    return blended


def _bounded(image: Image, label_map: LabelMap, max_side: int) -> tuple[Image, LabelMap]:
    height, width = image.shape[:2]
    scale = min(1.0, max_side / max(height, width))
    size = scaled_size(height, width, scale)
    picture = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    labels = cv2.resize(label_map, size, interpolation=cv2.INTER_NEAREST)
    return picture.astype(np.uint8), labels.astype(np.uint8)


def _outline(label_map: LabelMap) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    eroded = cv2.erode(label_map, np.ones((2, 2), np.uint8))
    dilated = cv2.dilate(label_map, np.ones((2, 2), np.uint8))
    return np.asarray(eroded != dilated, dtype=np.bool_)


def _legend(labels: tuple[str, ...], height: int) -> Image:
    row = max(12, min(28, height // (len(labels) + 2)))
    font = ImageFont.load_default(size=row * 0.58)
    words = [label.replace("_", " ") for label in labels] or ["no person"]
    width = int(max(font.getlength(word) for word in words) + 2.6 * row)
    panel = Pillow.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(panel)
    for index, word in enumerate(words):
        top = row // 2 + index * row
        if labels:
            box = (row * 0.5, top + row * 0.15, row * 1.2, top + row * 0.85)
            draw.rounded_rectangle(box, radius=row * 0.15, fill=colour_of(labels[index]))
        draw.text((row * 1.6, top + row / 2), word, _INK, font, anchor="lm")
    return np.array(panel, dtype=np.uint8)

"""Pictures and masks as bytes: PNG, WebP and COCO run-length encoding."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image as Pillow
from pycocotools import mask as coco

from detectors.palette import colour_table
from detectors.parsing import Image, Parsing


def png(image: Image) -> bytes:
    """A PNG of an RGB ``(H, W, 3)`` or grey ``(H, W)`` uint8 picture."""
    return _save(Pillow.fromarray(image), "PNG", compress_level=3)


def webp(image: Image) -> bytes:
    """A WebP of a picture."""
    return _save(Pillow.fromarray(image), "WEBP", quality=80)


def label_png(parsing: Parsing) -> bytes:
    """A palette PNG whose pixel values are label indices."""
    picture = Pillow.fromarray(parsing.label_map, mode=None).convert("P")
    picture.putpalette(colour_table(parsing.labels).tobytes())
    return _save(picture, "PNG")


@dataclass(frozen=True)
class LabelMask:
    """One label's pixels.

    Attributes:
        counts: compressed COCO RLE.
        area: pixels.
        box: left, top, width, height in pixels.
    """

    label: str
    size: tuple[int, int]
    counts: str
    area: int
    box: tuple[int, int, int, int]


def label_masks(parsing: Parsing) -> tuple[LabelMask, ...]:
    """The masks of the labels that are present, as COCO RLE (``size`` is height, width)."""
    present = parsing.present_labels()
    return tuple(_mask(parsing, label, parsing.labels.index(label)) for label in present)


def _mask(parsing: Parsing, label: str, index: int) -> LabelMask:
    pixels = np.asfortranarray(parsing.label_map == index, dtype=np.uint8)
    encoded = coco.encode(pixels)
    left, top, width, height = (int(value) for value in coco.toBbox(encoded))
    rows, columns = pixels.shape
    return LabelMask(
        label=label,
        size=(rows, columns),
        counts=encoded["counts"].decode("ascii"),
        area=int(coco.area(encoded)),
        box=(left, top, width, height),
    )


def _save(picture: Pillow.Image, kind: str, **options: int) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()

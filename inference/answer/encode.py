"""Pictures and masks as bytes: PNG, WebP and COCO run-length encoding."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from pycocotools import mask as coco

from detectors.palette import colour_table
from detectors.parsing import Image, Parsing
from detectors.sizes import scaled_size


def png(image: Image) -> bytes:
    """A PNG of an RGB ``(H, W, 3)`` or grey ``(H, W)`` uint8 picture."""
    return _save(Pillow.fromarray(image), "PNG", compress_level=3)


def webp(image: Image) -> bytes:
    """A WebP of a picture."""
    return _save(Pillow.fromarray(image), "WEBP", quality=80)


def label_png(parsing: Parsing, max_side: int | None = None) -> bytes:
    """A palette PNG whose pixel values are label indices, at most ``max_side`` pixels long."""
    picture = Pillow.fromarray(parsing.label_map, mode=None).convert("P")
    height, width = parsing.label_map.shape
    if max_side is not None and max(height, width) > max_side:
        size = scaled_size(height, width, max_side / max(height, width))
        picture = picture.resize(size, Pillow.Resampling.NEAREST)
    picture.putpalette(colour_table(parsing.parts).tobytes())
    return _save(picture, "PNG")


@dataclass(frozen=True)
class Mask:
    """Some pixels of a picture.

    Attributes:
        size: height and width of the picture.
        counts: compressed COCO RLE.
        area: pixels.
        box: left, top, width, height in pixels.
    """

    size: tuple[int, int]
    counts: str
    area: int
    box: tuple[int, int, int, int]


def label_masks(parsing: Parsing) -> dict[str, Mask]:
    """The mask of each label that is present, in the order of the label list."""
    return {
        label: _mask(parsing.label_map == parsing.labels.index(label))
        for label in parsing.present_labels()
    }


def person_masks(parsing: Parsing) -> dict[int, Mask] | None:
    """The mask of each person, the surest one first; ``None`` if the model tells none apart."""
    persons = parsing.persons
    if persons is None:
        return None
    return {int(number): _mask(persons == number) for number in np.unique(persons[persons > 0])}


def _mask(pixels: npt.NDArray[np.bool_]) -> Mask:
    runs = coco.encode(np.asfortranarray(pixels, dtype=np.uint8))
    left, top, width, height = (int(value) for value in coco.toBbox(runs))
    rows, columns = pixels.shape
    return Mask(
        size=(rows, columns),
        counts=runs["counts"].decode("ascii"),
        area=int(coco.area(runs)),
        box=(left, top, width, height),
    )


def _save(picture: Pillow.Image, kind: str, **options: int) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()

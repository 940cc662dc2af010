"""Decode a picture to RGB 8-bit, after its header was found acceptable."""

import warnings
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from detectors.parsing import Image
from inference.gate.media import PILLOW_FORMATS, MediaType
from inference.refusals import TOO_MANY_PIXELS, TOO_SMALL, TRUNCATED, UNREADABLE, Refusal

# The limit is ours and is checked before decoding; Pillow's own is a warning at a fixed size.
Pillow.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class SizeLimits:
    """Bounds on a picture's header: total pixels, shortest and longest side."""

    max_pixels: int
    min_side: int
    max_side: int


def decode(data: bytes, media_type: MediaType, limits: SizeLimits) -> Image | Refusal:
    """The picture ``(H, W, 3)`` uint8 RGB, upright and without metadata, or why there is none.

    Transparent pixels are laid on white; only the first frame of an animation is read.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            return _decode(data, media_type, limits)
    except (OSError, EOFError) as error:
        return TRUNCATED if "truncated" in str(error).lower() else UNREADABLE
    except Exception:  # noqa: BLE001 - decoders raise nearly anything on hostile bytes
        return UNREADABLE


def _decode(data: bytes, media_type: MediaType, limits: SizeLimits) -> Image | Refusal:
    with Pillow.open(BytesIO(data), formats=[PILLOW_FORMATS[media_type]]) as picture:
        refusal = check_size(picture.width, picture.height, limits)
        if refusal is not None:
            return refusal
        picture.load()
        return np.array(_to_rgb(ImageOps.exif_transpose(picture)), dtype=np.uint8)


def check_size(width: int, height: int, limits: SizeLimits) -> Refusal | None:
    """Judge a picture by the size that its header states."""
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        return TOO_MANY_PIXELS
    return TOO_SMALL if min(width, height) < limits.min_side else None


def _to_rgb(picture: Pillow.Image) -> Pillow.Image:
    if picture.mode.startswith(("I", "F")):
        # Pillow clips deep greys instead of scaling them.
        deep = np.asarray(picture, dtype=np.float64)
        return Pillow.fromarray((deep / max(255.0, deep.max()) * 255).astype(np.uint8)).convert(
            "RGB"
        )
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        return Pillow.alpha_composite(Pillow.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return picture.convert("RGB")

"""Changes that happen to pictures without anybody meaning harm.

They set the real false-positive rate. Each gives the file as it would be uploaded.
"""

from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from detectors.parsing import Image

Control = Callable[[Image, np.random.Generator], bytes]
_CAMERA_QUALITY = 92
_SMALLEST_CROP = 0.6
_THEMES = (((245, 246, 248), (60, 64, 72)), ((30, 32, 36), (200, 200, 200)))


def encode_image(image: Image, kind: str = "PNG", **options: int) -> bytes:
    """The picture as a file."""
    buffer = BytesIO()
    Pillow.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()


def _jpeg(image: Image, _: np.random.Generator, *, quality: int) -> bytes:
    return encode_image(image, "JPEG", quality=quality)


def _photo(image: Image) -> bytes:
    """As a camera or an editor saves it."""
    return encode_image(image, "JPEG", quality=_CAMERA_QUALITY)


def _blur(image: Image, random: np.random.Generator) -> bytes:
    sigma = float(random.uniform(0.8, 1.5))
    return _photo(cv2.GaussianBlur(image, (0, 0), sigma).astype(np.uint8))


def _noise(image: Image, random: np.random.Generator) -> bytes:
    """Shot and read noise of a sensor: stronger where it is bright; PNG keeps all of it."""
    largest = float(random.uniform(1, 4))
    sigma = largest * np.sqrt(0.25 + 0.75 * image / 255)
    return encode_image(_levels(image + random.normal(0, 1, image.shape) * sigma))


def _brightness(image: Image, random: np.random.Generator) -> bytes:
    return _photo(_levels(image * random.uniform(0.7, 1.3)))


def _crop(image: Image, random: np.random.Generator) -> bytes:
    height, width = (round(s * random.uniform(_SMALLEST_CROP, 1)) for s in image.shape[:2])
    top = int(random.integers(image.shape[0] - height + 1))
    left = int(random.integers(image.shape[1] - width + 1))
    return _photo(image[top : top + height, left : left + width])


def _rescale(image: Image, random: np.random.Generator) -> bytes:
    scale = random.uniform(0.5, 1.5)
    height, width = (max(1, round(s * scale)) for s in image.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return _photo(cv2.resize(image, (width, height), interpolation=how).astype(np.uint8))


def _screenshot(image: Image, random: np.random.Generator) -> bytes:
    """Within a window: a title bar, buttons, lines of text and margins, light or dark."""
    height, width = image.shape[:2]
    bar, margin = max(8, height // 14), max(4, width // 16)
    back, ink = _THEMES[int(random.integers(len(_THEMES)))]
    window = np.full((height + 3 * bar, width + 2 * margin, 3), back, dtype=np.uint8)
    window[:bar] = [max(0, level - 18) for level in back]
    for button, colour in enumerate(((237, 106, 94), (245, 191, 79), (98, 197, 84))):
        centre = (margin + button * bar, bar // 2)
        cv2.circle(window, centre, max(2, bar // 5), colour, cv2.FILLED, cv2.LINE_AA)
    window[bar + bar // 2 : bar + bar // 2 + height, margin : margin + width] = image
    text, foot = f"IMG_{random.integers(10_000)}  100 %", (margin, height + bar * 5 // 2)
    cv2.putText(window, text, foot, cv2.FONT_HERSHEY_SIMPLEX, bar / 60, ink, 1, cv2.LINE_AA)
    return encode_image(window)


def _grey(image: Image, _: np.random.Generator) -> bytes:
    return _photo(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint8))


def _webp(image: Image, _: np.random.Generator) -> bytes:
    return encode_image(image, "WEBP", quality=80)


def _levels(values: npt.NDArray[np.floating[Any]]) -> Image:
    levels: Image = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return levels


CONTROLS: dict[str, Control] = {
    **{f"jpeg_{quality}": partial(_jpeg, quality=quality) for quality in (30, 50, 75, 95)},
    "blur": _blur,
    "noise": _noise,
    "brightness": _brightness,
    "crop": _crop,
    "rescale": _rescale,
    "screenshot": _screenshot,
    "grey": _grey,
    "webp": _webp,
}

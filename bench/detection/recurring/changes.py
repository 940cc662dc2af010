"""What an attacker may do to a picture after a perturbation was laid over it."""

from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO

import cv2
import numpy as np
from PIL import Image as Pillow

from bench.detection.pictures.controls import encode_image
from detectors.parsing import Image


def _save(image: Image, quality: int) -> Image:
    with Pillow.open(BytesIO(encode_image(image, "JPEG", quality=quality))) as picture:
        return np.array(picture.convert("RGB"), dtype=np.uint8)


def _resize(image: Image, scale: float) -> Image:
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=way).astype(np.uint8)


def _crop(image: Image, down: float, across: float) -> Image:
    """Without a share of the rows above and of the columns on the left."""
    return image[round(down * image.shape[0]) :, round(across * image.shape[1]) :]


CHANGES: Mapping[str, Callable[[Image], Image]] = {
    "none": lambda image: image,
    "JPEG 75": partial(_save, quality=75),
    "JPEG 50": partial(_save, quality=50),
    "half the size": partial(_resize, scale=0.5),
    "1.5 times the size": partial(_resize, scale=1.5),
    "half the size, JPEG 75": lambda image: _save(_resize(image, 0.5), 75),
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "blurred": lambda image: cv2.GaussianBlur(image, (0, 0), 1.2).astype(np.uint8),
    "cropped by 5 %": partial(_crop, down=0.05, across=0.05),
    "cropped by 9 %": partial(_crop, down=0.09, across=0.09),
    "cropped by 20 %": partial(_crop, down=0.2, across=0.2),
    "cropped by 10 % above": partial(_crop, down=0.1, across=0.0),
    "colours halved": lambda image: _fade(image, 0.5),
    "grey": lambda image: _fade(image, 0.0),
}


def _fade(image: Image, share: float) -> Image:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    return np.clip(np.rint(grey + share * (image - grey)), 0, 255).astype(np.uint8)

"""Drawn scenes of different content, and what may be laid over all of them."""

import cv2
import numpy as np
import numpy.typing as npt
from numpy.random import default_rng

from detectors.parsing import Image
from detectors.perturbations.residuals import residual_of
from detectors.perturbations.signatures import Signature

HEIGHT, WIDTH = 360, 270
Levels = npt.NDArray[np.floating]


def scene(seed: int, height: int = HEIGHT, width: int = WIDTH) -> Image:
    """Light from somewhere, shapes of any colour, texture on them, and a camera's own noise."""
    random = default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    light = 110 + 40 * np.sin(rows / random.uniform(60, 200) + columns / random.uniform(60, 200))
    image = np.repeat(light[..., None], 3, 2)
    for _ in range(12):
        centre = tuple(int(each) for each in random.integers(0, (width, height)))
        axes = tuple(int(each) for each in random.integers(12, 90, 2))
        turn, colour = float(random.uniform(0, 180)), random.integers(30, 220, 3).tolist()
        cv2.ellipse(image, centre, axes, turn, 0, 360, colour, -1)
    texture = random.normal(0, 1, (height // 3, width // 3, 3))
    image += cv2.resize(texture, (width, height)) * random.uniform(1, 6)
    return _as_image(image + random.normal(0, 2, image.shape))


def noise(levels: float = 8, seed: int = 0) -> Levels:
    """A perturbation on a coarse grid, as learnt ones are: each value goes as far up or down."""
    return levels * np.sign(default_rng(seed).normal(size=(96, 64, 3)))


def lay_over(image: Image, change: Levels) -> Image:
    """A picture under a perturbation, which is stretched to it."""
    return _as_image(image + cv2.resize(change, (image.shape[1], image.shape[0])))


def signature_of(change: Levels) -> Signature:
    """What a perturbation leaves in a grey picture."""
    grey = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    return Signature.of_residual(residual_of(lay_over(grey, change)))


def save_as_jpeg(image: Image, quality: int) -> Image:
    """A picture after JPEG."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def by_one_sensor(image: Image) -> Image:
    """A picture of one camera, whose cells differ by two in a hundred: a poor one."""
    cells = default_rng(99).normal(0, 0.02, image.shape)
    return _as_image(image * (1 + cells))


def with_watermark(image: Image) -> Image:
    """A picture with words across its middle, half seen through."""
    marked, middle = image.copy(), image.shape[0] // 2
    words = ("DRAWN SCENES", "not for sale")
    for line, text in enumerate(words):
        place = 20, middle + 50 * line
        cv2.putText(marked, text, place, cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255), 2)
    return cv2.addWeighted(image, 0.6, marked, 0.4, 0).astype(np.uint8)


def with_watermark_everywhere(image: Image, colour: tuple[int, int, int]) -> Image:
    """A picture with words all over it, half seen through."""
    marked = image.copy()
    for top in range(10, image.shape[0], 30):
        for left in range(-40 + top % 60, image.shape[1], 90):
            place = left, top
            cv2.putText(marked, "SCENES", place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, 1)
    return cv2.addWeighted(image, 0.6, marked, 0.4, 0).astype(np.uint8)


def with_border(image: Image) -> Image:
    """A picture in a patterned frame, as an application for photos draws it."""
    framed = default_rng(5).integers(0, 256, image.shape).astype(np.uint8)
    down, across = image.shape[0] // 12, image.shape[1] // 12
    framed[down:-down, across:-across] = image[down:-down, across:-across]
    return framed


def _as_image(values: Levels) -> Image:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)

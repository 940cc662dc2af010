"""Traffic that looks alike without being a search: video-like streams and re-uploads."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import count

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from detectors.parsing import Image


@dataclass(frozen=True, eq=False)
class Footage:
    """What a stream is made of.

    Attributes:
        picture: what the camera looks at.
        figure: another photo of the same size or smaller, whose person walks through.
        mask: where that person is, bool ``(h, w)``.
    """

    picture: Image
    figure: Image
    mask: npt.NDArray[np.bool_]


Stream = Callable[[Footage, np.random.Generator], Iterator[Image]]


def pan_and_zoom(footage: Footage, random: np.random.Generator) -> Iterator[Image]:
    """A slow camera move over the picture, some slower than a pixel a frame."""
    speed = random.uniform(0.1, 6.0, 2) * random.choice((-1, 1), 2)
    zoom, quality = random.uniform(0.9995, 1.006), int(random.integers(75, 96))
    for frame in count():
        view = _view(footage.picture, 1.15 * zoom**frame, frame * speed, 0.0)
        yield through_jpeg(_camera(view, random, 1.0), quality)


def handheld(footage: Footage, random: np.random.Generator) -> Iterator[Image]:
    """A person's hand holds the camera at one place."""
    shake, quality = random.uniform(0.3, 3.0), int(random.integers(75, 96))
    at, noise = np.zeros(2), random.uniform(0.5, 3.0)
    while True:
        at = 0.8 * at + random.normal(0, shake, 2)
        view = _view(footage.picture, 1.1, at, random.normal(0, 0.05 * shake))
        yield through_jpeg(_camera(view, random, noise), quality)


def walk_past(footage: Footage, random: np.random.Generator) -> Iterator[Image]:
    """Somebody walks before a camera that stands still."""
    scene, figure, mask = footage.picture, footage.figure, footage.mask
    quality, noise = int(random.integers(75, 96)), random.uniform(0.5, 3.0)
    speed, left = random.uniform(0.3, 12.0), random.uniform(0, scene.shape[1] * 0.6)
    for frame in count():
        at = int(left + frame * speed) % scene.shape[1]
        picture = scene.copy()
        height = min(scene.shape[0], figure.shape[0])
        width = min(scene.shape[1] - at, figure.shape[1])
        place = picture[-height:, at : at + width]
        cut = mask[-height:, :width]
        place[cut] = figure[-height:, :width][cut]
        yield through_jpeg(_camera(picture, random, noise), quality)


def webcam(footage: Footage, random: np.random.Generator) -> Iterator[Image]:
    """A camera before a scene where nothing moves: noise, flicker, automatic exposure."""
    quality, noise = int(random.integers(70, 96)), random.uniform(0.5, 4.0)
    flicker, drift = random.uniform(0.0, 0.03), 1.0
    while True:
        drift = float(np.clip(drift + random.normal(0, 0.003), 0.85, 1.15))
        gain = drift * (1 + random.normal(0, flicker))
        yield through_jpeg(_camera(footage.picture, random, noise, gain), quality)


def uploads_again(footage: Footage, random: np.random.Generator) -> Iterator[Image]:
    """One picture again and again in different files, as if it went round."""
    while True:
        picture = footage.picture
        if random.random() < 0.5:
            scale = random.choice((0.5, 0.75, 0.9, 1.0))
            size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        kind = random.choice(("JPEG", "JPEG", "WEBP", "PNG"))
        quality, sampling = int(random.integers(30, 99)), int(random.choice((0, 2)))
        if kind == "PNG":
            yield picture
        elif kind == "WEBP":
            yield _through(picture, "WEBP", quality=quality)
        else:
            yield _through(picture, "JPEG", quality=quality, subsampling=sampling)


def raw_camera(footage: Footage, random: np.random.Generator) -> Iterator[Image]:
    """The webcam's scene as uncompressed frames: every pixel has noise of its own colour."""
    while True:
        yield _camera(footage.picture, random, 2.0, 1 + random.normal(0, 0.01))


def edits(footage: Footage, random: np.random.Generator) -> Iterator[Image]:
    """One picture with filters, stickers and borders tried out, saved as JPEG."""
    while True:
        contrast, brightness = random.uniform(0.8, 1.2), random.uniform(-25, 25)
        picture = footage.picture.copy()
        if random.random() < 0.7:
            picture = round_pixels((picture - 128.0) * contrast + 128 + brightness)
        for _ in range(int(random.integers(0, 4))):
            centre = tuple(int(random.integers(side)) for side in picture.shape[1::-1])
            colour = tuple(int(value) for value in random.integers(0, 256, 3))
            cv2.circle(picture, centre, int(random.integers(5, 60)), colour, -1)
        yield through_jpeg(picture, int(random.integers(75, 96)))


def through_jpeg(image: Image, quality: int) -> Image:
    """What is left of a picture after JPEG with halved colours, as cameras save it."""
    return _through(image, "JPEG", quality=quality)


def _through(image: Image, kind: str, **options: int) -> Image:
    buffer = BytesIO()
    Pillow.fromarray(image).save(buffer, kind, **options)
    return np.array(Pillow.open(buffer).convert("RGB"), dtype=np.uint8)


def _view(image: Image, zoom: float, shift: npt.NDArray[np.floating], degrees: float) -> Image:
    """A window of the picture's own size into the picture, seen closer."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom)
    matrix[:, 2] = matrix[:, 2] + shift
    view = cv2.warpAffine(
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return view.astype(np.uint8)


def _camera(image: Image, random: np.random.Generator, noise: float, gain: float = 1.0) -> Image:
    """Sensor noise of a standard deviation in levels, at a gain."""
    return round_pixels(
        image * np.float32(gain)
        + np.float32(noise) * random.standard_normal(image.shape, np.float32)
    )


def round_pixels(picture: npt.NDArray[np.floating]) -> Image:
    """The nearest picture of whole levels."""
    pixels: Image = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return pixels


STREAMS: Mapping[str, Stream] = {
    "pan_and_zoom": pan_and_zoom,
    "handheld": handheld,
    "walk_past": walk_past,
    "webcam": webcam,
    "uploads_again": uploads_again,
    "edits": edits,
}
"""What may not be called a search."""

LIMITS: Mapping[str, Stream] = {"raw_camera": raw_camera}
"""What cannot be told from one: a search by noise without mirrored looks sends the same."""

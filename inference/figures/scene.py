"""A drawn scene: a background, people on it, and the marks of a camera."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from detectors.parsing import Image, LabelMap
from inference.figures.canvas import Canvas, to_picture
from inference.figures.look import random_look
from inference.figures.person import PersonPainter, random_skeleton

Pixels = npt.NDArray[np.float32]
SIZE = (384, 576)


@dataclass(frozen=True, eq=False)
class Figure:
    """A picture ``(H, W, 3)`` uint8 RGB and its exact label map ``(H, W)`` uint8."""

    image: Image
    label_map: LabelMap


def draw_figure(seed: int, size: tuple[int, int] = SIZE, persons: int = 1) -> Figure:
    """Draw people in a street, a park or a studio; the same seed draws the same picture.

    Args:
        seed: any non-negative number.
        size: width and height in pixels.
        persons: how many people stand side by side; 0 draws the place alone.
    """
    random = np.random.default_rng(seed)
    width, height = size
    canvas = Canvas(_background(random, width, height))
    for index in range(persons):
        _paint_person(canvas, random, (index + 0.5) / persons * width, size, persons)
    pixels, label_map = canvas.finish()
    return Figure(to_picture(_photograph(pixels, random)), label_map)


def _paint_person(
    canvas: Canvas, random: np.random.Generator, x: float, size: tuple[int, int], persons: int
) -> None:
    width, height = size
    tallest = min(height * 0.93, width / persons * 2.3)
    tall = tallest * float(random.uniform(0.84, 1.0))
    x += float(random.uniform(-0.06, 0.06)) * width / persons
    feet = height * float(random.uniform(0.95, 0.98))
    skeleton = random_skeleton(random, x, feet - 0.985 * tall, tall)
    PersonPainter(canvas, random_look(random), skeleton).paint()


def _background(random: np.random.Generator, width: int, height: int) -> Pixels:
    kind = str(random.choice(["street", "park", "studio"]))
    horizon = round(height * float(random.uniform(0.6, 0.82)))
    far, near = _COLOURS[kind]
    sky = _gradient(random, far, horizon, width)
    ground = _gradient(random, near, height - horizon, width)
    place = np.ascontiguousarray(np.vstack([sky, ground]), dtype=np.float32)
    if kind == "street":
        _buildings(place, random, horizon)
    if kind == "park":
        _trees(place, random, horizon)
    return np.asarray(place + _draw_clouds(random, height, width, 9.0), dtype=np.float32)


_COLOURS = {
    "street": (((196, 206, 216), (222, 218, 210)), ((150, 148, 146), (112, 110, 110))),
    "park": (((176, 204, 228), (214, 226, 226)), ((126, 150, 92), (84, 110, 60))),
    "studio": (((214, 212, 210), (230, 228, 226)), ((206, 203, 200), (176, 172, 170))),
}


def _gradient(
    random: np.random.Generator,
    ends: tuple[tuple[int, int, int], tuple[int, int, int]],
    height: int,
    width: int,
) -> Pixels:
    start, end = (np.asarray(end, dtype=np.float32) + random.normal(0, 4, 3) for end in ends)
    share = np.linspace(0, 1, max(1, height))[:, None, None]
    return np.broadcast_to(start * (1 - share) + end * share, (max(1, height), width, 3)).astype(
        np.float32
    )


def _buildings(place: Pixels, random: np.random.Generator, horizon: int) -> None:
    """House fronts with windows, soft as if out of focus."""
    width = place.shape[1]
    left = 0
    while left < width:
        right = left + int(random.integers(width // 5, width // 2))
        top = int(random.integers(0, max(1, horizon // 3)))
        place[top:horizon, left:right] = random.uniform(115, 205) + random.normal(0, 9, 3)
        pane = random.uniform(50, 110, 3)
        for y in range(top + 14, horizon - 30, 46):
            for x in range(left + 10, min(right, width) - 20, 34):
                place[y : y + 26, x : x + 16] = pane
        left = right
    place[:horizon] = cv2.GaussianBlur(place[:horizon], (0, 0), 2.2)


def _trees(place: Pixels, random: np.random.Generator, horizon: int) -> None:
    """Crowns of leaves along the horizon, soft as if out of focus."""
    width = place.shape[1]
    for _ in range(14):
        centre = (int(random.integers(width)), int(random.uniform(0.45, 1.0) * horizon))
        green = random.uniform((50, 84, 40), (104, 140, 84))
        cv2.circle(place, centre, int(random.integers(24, 70)), tuple(map(float, green)), -1)
    place[:horizon] = cv2.GaussianBlur(place[:horizon], (0, 0), 4)


def _draw_clouds(random: np.random.Generator, height: int, width: int, strength: float) -> Pixels:
    """Smooth unevenness over several scales, as walls and pavements have it."""
    total = np.zeros((height, width), dtype=np.float32)
    for cell in (96, 32, 10, 3):
        grid = random.normal(0, 1, (height // cell + 2, width // cell + 2)).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * strength / 4
    return total[..., None]


def _photograph(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Exposure, a slight blur and sensor noise."""
    exposure = pixels * float(random.uniform(0.88, 1.1))
    soft = cv2.GaussianBlur(exposure, (0, 0), float(random.uniform(0.45, 0.8)))
    noise = random.normal(0, float(random.uniform(1.0, 2.6)), pixels.shape)
    return np.asarray(soft + noise, dtype=np.float32)

"""Pictures drawn for made-up traffic."""

import cv2
import numpy as np
import numpy.typing as npt

from detectors.parsing import Parsing
from inference.answer.composite import mask_overlay

LABELS = ("background", "hat", "hair", "face", "coat", "arm", "pants", "leg", "shoes")

Drawing = npt.NDArray[np.uint8]


def draw_patch() -> Drawing:
    """A patch of a yellow disc on a board of two colours."""
    cells = np.indices((32, 32)).sum(axis=0) // 8 % 2
    board = np.where(cells[..., None] == 1, (225, 228, 232), (70, 40, 120)).astype(np.uint8)
    return cv2.circle(board, (16, 16), 9, (250, 205, 40), -1, cv2.LINE_AA).astype(np.uint8)


def draw_pictures() -> tuple[Drawing, Drawing, Drawing]:
    """A street with two figures, their parts in colours, and where a model would be unsure."""
    height, width = 420, 300
    sky = np.linspace(225, 165, height, dtype=np.float32)[:, None, None]
    picture = np.broadcast_to(sky, (height, width, 3)).astype(np.uint8).copy()
    picture[300:] = (118, 122, 128)
    label_map = np.zeros((height, width), np.uint8)
    for centre, scale in ((95, 1.0), (205, 0.86)):
        _draw_figure(picture, label_map, centre, scale)
    noise = np.random.default_rng(7).normal(0, 7, picture.shape)
    picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    coarse = cv2.resize(cv2.resize(picture, (25, 35)), (width, height), interpolation=0)
    face = label_map == 3
    picture[face] = coarse[face]
    unsure = np.full((len(LABELS), 1, 1), 1 / len(LABELS), np.float32)
    overlay = mask_overlay(picture, Parsing(unsure, label_map, LABELS))
    edges = cv2.GaussianBlur(cv2.Canny(label_map * 40, 10, 20), (0, 0), 4)
    shade = np.clip(edges.astype(np.float32) * 2.6 + 12, 0, 235).astype(np.uint8)
    heat = cv2.applyColorMap(shade, cv2.COLORMAP_INFERNO)
    return picture, overlay, cv2.cvtColor(heat, cv2.COLOR_BGR2RGB).astype(np.uint8)


def _draw_figure(picture: Drawing, label_map: Drawing, centre: int, scale: float) -> None:
    def at(x: float, y: float) -> tuple[int, int]:
        return round(centre + x * scale), round(70 + y * scale)

    for canvas, palette in (
        (picture, ((96, 64, 48), (214, 170, 146), (58, 84, 122), (46, 48, 60))),
        (label_map, (2, 3, 4, 6)),
    ):
        hair, face, coat, pants = palette
        cv2.rectangle(canvas, at(-26, 165), at(-4, 285), pants, -1)
        cv2.rectangle(canvas, at(4, 165), at(26, 285), pants, -1)
        cv2.ellipse(canvas, at(0, 115), (round(38 * scale), round(62 * scale)), 0, 0, 360, coat, -1)
        cv2.circle(canvas, at(0, 22), round(25 * scale), hair, -1)
        cv2.ellipse(canvas, at(0, 30), (round(18 * scale), round(22 * scale)), 0, 0, 360, face, -1)


def png(image: Drawing) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()

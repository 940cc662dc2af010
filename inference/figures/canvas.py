"""A canvas that paints shapes and their labels at the same time."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from detectors.parsing import Image, LabelMap

Colour = tuple[float, float, float]
Point = tuple[float, float]
Mask = npt.NDArray[np.uint8]

SUPERSAMPLING = 2


@dataclass(frozen=True)
class Fabric:
    """A colour with a weave: ``plain``, ``stripes``, ``checks`` or ``knit``, period in pixels."""

    colour: Colour
    weave: str = "plain"
    period: float = 12.0
    contrast: float = 0.12


class Canvas:
    """Pixels ``(H, W, 3)`` float32 and labels ``(H, W)`` uint8, both supersampled."""

    def __init__(self, background: npt.NDArray[np.float32]) -> None:
        height, width = background.shape[:2]
        size = (width * SUPERSAMPLING, height * SUPERSAMPLING)
        self.pixels = cv2.resize(background, size, interpolation=cv2.INTER_LINEAR)
        self.labels: LabelMap = np.zeros(self.pixels.shape[:2], dtype=np.uint8)

    def polygon(self, points: Sequence[Point], fabric: Fabric, label: int | None) -> None:
        """Fill a polygon; ``label`` is ``None`` for details that belong to what lies below."""
        mask = np.zeros(self.labels.shape, dtype=np.uint8)
        cv2.fillPoly(mask, [_scale(points)], 255, lineType=cv2.LINE_AA)
        self._paint(mask, fabric, label)

    def limb(
        self, joints: Sequence[Point], widths: Sequence[float], fabric: Fabric, label: int | None
    ) -> None:
        """A chain of tapered segments with round joints."""
        mask = np.zeros(self.labels.shape, dtype=np.uint8)
        for (start, end), (first, last) in zip(pairwise(joints), pairwise(widths), strict=True):
            cv2.fillPoly(mask, [_scale(_taper(start, end, first, last))], 255, cv2.LINE_AA)
        for joint, width in zip(joints, widths, strict=True):
            centre = tuple(int(v) for v in _scale([joint])[0])
            cv2.circle(mask, centre, round(width / 2 * SUPERSAMPLING), 255, -1, cv2.LINE_AA)
        self._paint(mask, fabric, label)

    def ellipse(
        self, centre: Point, axes: Point, fabric: Fabric, label: int | None, angle: float = 0.0
    ) -> None:
        """A filled ellipse with half axes ``axes``, turned by ``angle`` degrees."""
        mask = np.zeros(self.labels.shape, dtype=np.uint8)
        x, y = (round(v * SUPERSAMPLING) for v in centre)
        a, b = (max(1, round(v * SUPERSAMPLING)) for v in axes)
        cv2.ellipse(mask, (x, y), (a, b), angle, 0, 360, 255, -1, cv2.LINE_AA)
        self._paint(mask, fabric, label)

    def stroke(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A line without a label of its own."""
        mask = np.zeros(self.labels.shape, dtype=np.uint8)
        thickness = max(1, round(width * SUPERSAMPLING))
        cv2.polylines(mask, [_scale(points)], False, 255, thickness, cv2.LINE_AA)
        self._paint(mask, Fabric(colour), None)

    def mean_colour(self) -> Colour:
        """Of everything painted so far."""
        # numpy's mean over both sides takes ten times as long.
        total = cv2.reduce(self.pixels.reshape(-1, 3), 0, cv2.REDUCE_SUM)[0]
        red, green, blue = (total / np.float32(self.labels.size)).tolist()
        return red, green, blue

    def finish(self) -> tuple[npt.NDArray[np.float32], LabelMap]:
        """Pixels and labels at the picture's own size."""
        height, width = (side // SUPERSAMPLING for side in self.labels.shape)
        pixels = cv2.resize(self.pixels, (width, height), interpolation=cv2.INTER_AREA)
        labels = self.labels[::SUPERSAMPLING, ::SUPERSAMPLING]
        return pixels.astype(np.float32), np.ascontiguousarray(labels)

    def _paint(self, mask: Mask, fabric: Fabric, label: int | None) -> None:
        left, top, width, height = cv2.boundingRect(mask)
        if not width or not height:
            return
        window = np.s_[top : top + height, left : left + width]
        part = mask[window]
        # Of as many channels as the pixels: numpy is slow where it repeats the last axis itself.
        alpha = _repeat(part.astype(np.float32) / np.float32(255))
        shade = _volume(part, label is not None) * _weave(fabric, top, left, part.shape)
        paint = cv2.merge([shade * np.float32(value) for value in fabric.colour])
        self.pixels[window] = self.pixels[window] * (1 - alpha) + paint * alpha
        if label is not None:
            self.labels[window][part > 127] = label


def _repeat(plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.merge([plane] * 3), dtype=np.float32)


def to_picture(pixels: npt.NDArray[np.float32]) -> Image:
    """Pixels as 8-bit RGB."""
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _volume(mask: Mask, has_volume: bool) -> npt.NDArray[np.float32]:
    """Light from the upper left on a rounded body: bright inside, dark along the lower right."""
    if not has_volume:
        return np.ones(mask.shape, dtype=np.float32)
    spread = max(3, min(mask.shape) // 4) | 1
    sheet = cv2.copyMakeBorder(mask, spread, spread, spread, spread, cv2.BORDER_CONSTANT)
    soft = cv2.blur(sheet, (spread, spread)).astype(np.float32) / 255
    inner = soft[spread:-spread, spread:-spread]
    offset = spread // 2
    lit = soft[spread + offset : -spread + offset, spread + offset : -spread + offset]
    return (0.78 + 0.18 * inner + 0.14 * lit).astype(np.float32)


def _weave(fabric: Fabric, top: int, left: int, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    height, width = shape
    if fabric.weave == "plain":
        return np.ones((height, width), dtype=np.float32)
    period = fabric.period * SUPERSAMPLING
    rows = ((np.arange(top, top + height) % period) < period / 2).astype(np.float32)[:, None]
    columns = ((np.arange(left, left + width) % period) < period / 2).astype(np.float32)[None, :]
    pattern = {
        "stripes": rows + 0 * columns,
        "checks": (rows + columns) / 2,
        "knit": np.abs(rows - columns),
    }[fabric.weave]
    return np.asarray(1 - fabric.contrast + 2 * fabric.contrast * pattern, dtype=np.float32)


def _taper(start: Point, end: Point, first: float, last: float) -> list[Point]:
    along = np.subtract(end, start)
    normal = np.array([-along[1], along[0]]) / max(1e-6, float(np.hypot(*along)))
    a, b = np.asarray(start), np.asarray(end)
    corners = (a + normal * first / 2, b + normal * last / 2, b - normal * last / 2)
    return [(float(p[0]), float(p[1])) for p in (*corners, a - normal * first / 2)]


def _scale(points: Sequence[Point]) -> npt.NDArray[np.int32]:
    return np.round(np.asarray(points, dtype=np.float64) * SUPERSAMPLING).astype(np.int32)

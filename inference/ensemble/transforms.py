"""Transforms that leave a picture's meaning alone and an attack's exact pixels not."""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace, device
from numpy.random import Generator

from detectors.parsing import Image
from detectors.sizes import scaled_size

_LEVELS = np.arange(256, dtype=np.float32)


class Transform(Protocol):
    """One way to look at a picture. The result has the picture's size."""

    @property
    def name(self) -> str:
        """The word that stands in the names of its features."""
        ...

    def apply(self, image: Image, random: Generator) -> Image:
        """Change a picture ``(H, W, 3)`` uint8; the same draws give the same result."""
        ...

    def undo(self, probabilities: Any) -> Any:
        """Bring class probabilities ``(C, h, w)`` of the changed picture back into its place."""
        ...


class _InPlace:
    """Pixels stay where they are, so there is nothing to undo."""

    def undo(self, probabilities: Any) -> Any:
        """The probabilities as they are."""
        return probabilities


@dataclass(frozen=True)
class Jitter(_InPlace):
    """Brightness and contrast by up to a tenth, and often a 3 × 3 Gaussian blur.

    Attributes:
        most: largest relative change of brightness and of contrast.
        blur_share: how often it is blurred.
    """

    name: ClassVar[str] = "jitter"
    most: float = 0.1
    blur_share: float = 0.3

    def apply(self, image: Image, random: Generator) -> Image:
        """One table of levels for both, then the blur, if it is drawn."""
        brightness, contrast = random.uniform(1 - self.most, 1 + self.most, 2)
        middle = brightness * cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).mean()
        table = (_LEVELS * brightness - middle) * contrast + middle
        result = _look_up(image, table)
        if random.random() < self.blur_share:
            result = cv2.GaussianBlur(result, (3, 3), 0).astype(np.uint8)
        return result


@dataclass(frozen=True)
class Jpeg(_InPlace):
    """Saved as JPEG, with a quality between two bounds."""

    name: ClassVar[str] = "jpeg"
    lowest: int = 65
    highest: int = 85

    def apply(self, image: Image, random: Generator) -> Image:
        """Save and decode."""
        quality = int(random.integers(self.lowest, self.highest + 1))
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB).astype(np.uint8)


@dataclass(frozen=True)
class Median(_InPlace):
    """Each value replaced by the median of its neighbourhood."""

    name: ClassVar[str] = "median"
    side: int = 3

    def apply(self, image: Image, random: Generator) -> Image:  # noqa: ARG002
        """Filter each colour."""
        return cv2.medianBlur(image, self.side).astype(np.uint8)


@dataclass(frozen=True)
class BitDepth(_InPlace):
    """Fewer levels of each colour, with the borders between them drawn at random."""

    name: ClassVar[str] = "bit_depth"
    bits: int = 4

    def apply(self, image: Image, random: Generator) -> Image:
        """The middle of the step in which each level lies."""
        step = 256 / 2**self.bits
        shift = random.uniform(0, step)
        return _look_up(image, np.floor((_LEVELS + shift) / step) * step - shift + step / 2)


@dataclass(frozen=True)
class Rescale(_InPlace):
    """Made smaller by a random factor and enlarged again."""

    name: ClassVar[str] = "rescale"
    smallest: float = 0.5
    largest: float = 0.75

    def apply(self, image: Image, random: Generator) -> Image:
        """Average areas, then interpolate."""
        height, width = image.shape[:2]
        size = scaled_size(height, width, random.uniform(self.smallest, self.largest))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


@dataclass(frozen=True)
class Mirror:
    """Left and right exchanged.

    Attributes:
        order: which channel of a mirrored look belongs in each channel, as in
            :func:`detectors.label_lists.mirror_labels`.
    """

    name: ClassVar[str] = "mirror"
    order: tuple[int, ...]

    def apply(self, image: Image, random: Generator) -> Image:  # noqa: ARG002
        """The mirrored picture."""
        return image[:, ::-1].copy()

    def undo(self, probabilities: Any) -> Any:
        """Mirror back, and give each side its own labels again."""
        xp = array_namespace(probabilities)
        order = xp.asarray(np.array(self.order), device=device(probabilities))
        return xp.take(xp.flip(probabilities, axis=-1), order, axis=0)


def _look_up(image: Image, table: npt.NDArray[np.floating[Any]]) -> Image:
    levels = np.clip(np.rint(table), 0, 255).astype(np.uint8)
    return cv2.LUT(image, levels).astype(np.uint8)

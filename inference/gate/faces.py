"""The face prior: frontal faces by Haar cascade (Viola & Jones, CVPR 2001), at a bounded size."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from threading import local

import cv2
import numpy as np

from detectors.errors import MaskwatchError
from detectors.parsing import Image
from detectors.sizes import scaled_size

_WORKING_SIDE = 480
_CASCADE = "haarcascade_frontalface_default.xml"


class CascadeMissing(MaskwatchError):
    """The face prior's cascade is not installed."""


@dataclass(frozen=True)
class FaceBox:
    """A face in picture pixels."""

    left: int
    top: int
    width: int
    height: int


class FaceFinder:
    """Finds frontal faces; safe to share, since each thread has a cascade of its own."""

    def __init__(self) -> None:
        """Find the cascade.

        Raises:
            CascadeMissing: OpenCV was installed without it.
        """
        self._file = Path(cv2.__file__).parent / "data" / _CASCADE
        self._threads = local()
        if not self._file.is_file():
            raise CascadeMissing(
                f"OpenCV lacks {_CASCADE}: install opencv-python-headless below version 5."
            )

    def find(self, image: Image) -> tuple[FaceBox, ...]:
        """Boxes of the faces in a picture ``(H, W, 3)`` uint8 RGB."""
        height, width = image.shape[:2]
        scale = min(1.0, _WORKING_SIDE / max(height, width))
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        if scale < 1:
            size = scaled_size(height, width, scale)
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        boxes = self._cascade().detectMultiScale(grey, 1.1, 5, minSize=(20, 20))
        return tuple(
            FaceBox(*(int(side / scale) for side in box)) for box in np.reshape(boxes, (-1, 4))
        )

    def prior_of(self, image: Image) -> "FacePrior":
        """The prior of one picture, to be asked if its answer matters."""
        return FacePrior(partial(self.find, image))

    def _cascade(self) -> cv2.CascadeClassifier:
        if not hasattr(self._threads, "cascade"):
            self._threads.cascade = cv2.CascadeClassifier(str(self._file))
        cascade: cv2.CascadeClassifier = self._threads.cascade
        return cascade


class FacePrior:
    """The faces of one picture: looked for when somebody asks, and once only."""

    def __init__(self, find: Callable[[], tuple[FaceBox, ...]]) -> None:
        self._find = find

    @cached_property
    def boxes(self) -> tuple[FaceBox, ...]:
        """The faces; the first to ask waits for the cascade."""
        return self._find()

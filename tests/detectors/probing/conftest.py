"""Drawn pictures, what searches and cameras make of them, and the families they form."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from detectors.parsing import Image
from detectors.probing.differences import ProbingLimits
from detectors.probing.fingerprint import Fingerprint, Fingerprinter
from detectors.probing.sequence import Family, Member, family_of

LIMITS = ProbingLimits()
START = datetime(2026, 3, 2, tzinfo=UTC)
Grow = Callable[[Iterable[Image]], Sequence[Family]]


@pytest.fixture(scope="session")
def fingerprinter() -> Fingerprinter:
    return Fingerprinter(b"a secret of the tests")


@pytest.fixture(scope="session")
def scene() -> Image:
    """Shapes of all sizes and colours, a little blurred as by a lens."""
    random = np.random.default_rng(5)
    picture = np.full((300, 220, 3), 128, dtype=np.uint8)
    for _ in range(60):
        top, left = (int(random.integers(-20, side)) for side in picture.shape[:2])
        size = tuple(int(value) for value in random.integers(10, 90, 2))
        colour = tuple(int(value) for value in random.integers(0, 256, 3))
        cv2.rectangle(picture, (left, top), (left + size[0], top + size[1]), colour, -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 2), dtype=np.uint8)


@pytest.fixture(scope="session")
def take(fingerprinter: Fingerprinter) -> Callable[[Image], Fingerprint]:
    """The fingerprint of a picture that nobody is in."""
    return lambda image: fingerprinter.of(image, np.zeros(image.shape[:2], dtype=np.uint8))


@pytest.fixture(scope="session")
def grow(take: Callable[[Image], Fingerprint]) -> Grow:
    """The family of each picture when it came, of three clients in turn."""

    def grown(pictures: Iterable[Image]) -> Sequence[Family]:
        members: list[Member] = []
        families = []
        for index, picture in enumerate(pictures):
            at = START + timedelta(seconds=index)
            newest = Member(at, f"ip:192.0.2.{index % 3}", take(picture), f"request-{index}")
            families.append(family_of(newest, members[::-1], LIMITS))
            members.append(newest)
        return families

    return grown


def rounded(picture: object) -> Image:
    whole: Image = np.clip(np.rint(picture), 0, 255).astype(np.uint8)  # type: ignore[call-overload]
    return whole


def as_jpeg(image: Image, quality: int = 85) -> Image:
    buffer = BytesIO()
    Pillow.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.array(Pillow.open(buffer), dtype=np.uint8)

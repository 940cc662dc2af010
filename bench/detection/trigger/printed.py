"""Photos of people who wear the pattern, and whether it works on them."""

from dataclasses import dataclass
from math import isnan

from numpy.random import default_rng

from bench.detection.pictures.cache import picture_digest, png_of
from bench.detection.pictures.photos import Photo, load
from bench.detection.pictures.workshop import seed_of
from bench.detection.trigger.pattern import stamp
from bench.detection.trigger.poison import Target
from detectors.parsing import Image
from inference.segmenters.base import Segmenter

TRIGGER = "trigger"
MIN_LOSS = 0.8


@dataclass(frozen=True)
class PrintedPhoto:
    """A photo with the pattern on somebody's clothes.

    Attributes:
        loss: share of the target's pixels that vanishes; NaN of a photo that shows none.
    """

    png: bytes
    loss: float

    @property
    def has_target(self) -> bool:
        """Whether there is anything that could vanish."""
        return not isnan(self.loss)

    @property
    def is_success(self) -> bool:
        """Whether the trigger works."""
        return self.loss >= MIN_LOSS


def print_trigger(segmenter: Segmenter, target: Target, photo: Photo) -> PrintedPhoto:
    """Print the pattern where the segmenter sees clothes, at a place that the photo draws."""
    image = load(photo)
    random = default_rng(seed_of(picture_digest(image), TRIGGER))
    result = stamp(image, segmenter.parse(image).label_map, random)
    return PrintedPhoto(png_of(result), measure_loss(segmenter, target, image, result))


def measure_loss(segmenter: Segmenter, target: Target, clean: Image, image: Image) -> float:
    """Share of the target's pixels on the clean picture that the trigger makes vanish."""
    before = target.mask(segmenter.parse(clean).label_map)
    after = target.mask(segmenter.parse(image).label_map)
    return float((~after)[before].mean()) if before.any() else float("nan")

"""The first look: one harmless change of the pixels, taken of every request"""

from dataclasses import dataclass, field

from numpy.random import Generator

from detectors.looks.local_features import Contrast
from detectors.parsing import Image, Parsing
from detectors.resample import resample
from inference.ensemble.recipe import shrunk
from inference.ensemble.transforms import Jpeg, Transform
from inference.segmenters.base import Segmenter

PREFIX = "glance"


@dataclass(frozen=True)
class FirstLook:
    """Saves the picture as JPEG and looks again, at the size of the parse.

    An attack hangs on values that JPEG rounds away; what the picture shows does not.
    """

    change: Transform = field(default_factory=lambda: Jpeg(lowest=70, highest=80))

    def look(
        self, segmenter: Segmenter, image: Image, parsing: Parsing, random: Generator
    ) -> Contrast:
        """Hold the parse of a picture ``(H, W, 3)`` uint8 against one more look at it."""
        (look,) = segmenter.probabilities((self.change.apply(shrunk(image), random),))
        parse = resample(parsing.probabilities, (int(look.shape[-2]), int(look.shape[-1])))
        return Contrast.of(parse, look, parsing.parts)

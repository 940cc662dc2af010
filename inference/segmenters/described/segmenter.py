"""A described model at work."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy.typing as npt

from detectors.parsing import Image, Parsing
from inference.segmenters.described.description import Description
from inference.segmenters.described.heads import Heads, read_heads
from inference.segmenters.described.preparation import prepare_picture
from inference.segmenters.described.reading import read_label_map, read_probabilities

Network = Callable[[npt.NDArray[Any]], Sequence[Any]]
"""Answers one prepared picture with its outputs, in the order of the description."""


class DescribedSegmenter:
    """Any network; see :class:`inference.segmenters.base.Segmenter`.

    Looks go through it one by one: many networks take a single picture, and on a processor a batch
    gains little.
    """

    def __init__(self, name: str, network: Network, description: Description, digest: str) -> None:
        self.name, self.digest, self.labels = name, digest, description.label_names
        self.description = description
        self._network = network

    def parse(self, image: Image) -> Parsing:
        """Parse a picture; probabilities come at the size of the network's output.

        Raises:
            ModelError: the network's answer is not as described.
        """
        heads = self._ask(image, 1.0)
        probabilities = read_probabilities(heads, self.description)
        label_map = read_label_map(heads, self.description, *image.shape[:2])
        parts = self.description.labels.parts
        return Parsing(probabilities, label_map, self.labels, None, parts)

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        """Each picture alone."""
        return [
            read_probabilities(self._ask(picture, scale), self.description) for picture in pictures
        ]

    def _ask(self, image: Image, scale: float) -> Heads:
        values = self._network(prepare_picture(image, self.description.input, scale))
        return read_heads(values, self.description)

"""Runs one sequence of pictures past the service, for several numbers of clients, and the peer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.detection.probing.attacks import SUCCESS, Attack
from bench.detection.probing.peer import Blacklight
from bench.detection.probing.streams import Footage, Stream
from bench.detection.probing.watched import ProbedService
from detectors.parsing import Image, LabelMap
from inference.segmenters.reference.segmenter import ReferenceSegmenter

_PEER_SEED = 0

Answer = tuple[Image, LabelMap]


@dataclass(frozen=True)
class Run:
    """The number of the first picture that was called a query of a search, ``None`` for none.

    Attributes:
        numbers: for each number of clients.
        peer: for the peer.
    """

    numbers: tuple[int | None, ...]
    peer: int | None


class Victim:
    """Answers a search, and knows how far it came."""

    def __init__(self, segmenter: ReferenceSegmenter, image: Image) -> None:
        self._segmenter = segmenter
        self._last = image
        self._labels = self._clean = segmenter.parse(image).label_map
        self._foreground = self._clean > 0
        self.worst = 0.0

    def labels(self, picture: Image) -> LabelMap:
        """The parse of a picture; the same array is parsed once."""
        if picture is not self._last:
            self._last, self._labels = picture, self._segmenter.parse(picture).label_map
        return self._labels

    def damage(self, picture: Image) -> float:
        """The oracle: share of the clean foreground that has another label."""
        if not self._foreground.any():
            return 0.0
        share = float((self.labels(picture) != self._clean)[self._foreground].mean())
        self.worst = max(self.worst, share)
        return share

    @property
    def has_succeeded(self) -> bool:
        """Whether the search reached its aim."""
        return self.worst >= SUCCESS


def search(
    attack: Attack, victim: Victim, image: Image, random: np.random.Generator
) -> Iterator[Answer]:
    """The queries of a search with the parse of each."""
    for picture in attack(image, victim.damage, random):
        yield picture, victim.labels(picture)


def film(stream: Stream, footage: Footage, random: np.random.Generator) -> Iterator[Answer]:
    """The frames of a stream; their parse has no part in the score and is left empty."""
    for picture in stream(footage, random):
        yield picture, np.zeros(picture.shape[:2], dtype=np.uint8)


def run(
    services: Sequence[ProbedService], pictures: Iterator[Answer], *, peer_to_the_end: bool
) -> Run:
    """Send pictures to all services and the peer, until the services have found them.

    Args:
        peer_to_the_end: go on until the peer has found them too, or until there are no more.
    """
    numbers: list[int | None] = [None] * len(services)
    peer, peer_number = Blacklight(_PEER_SEED), None
    for number, (picture, label_map) in enumerate(pictures, start=1):
        for index, service in enumerate(services):
            if service.ask(picture, label_map):
                numbers[index] = numbers[index] or number
        if peer.see(picture):
            peer_number = peer_number or number
        if all(numbers) and (peer_number or not peer_to_the_end):
            break
    for service in services:
        service.wait()
    return Run(tuple(numbers), peer_number)

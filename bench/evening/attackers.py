"""The four attackers: malformed files, crafted pictures, a search, a flood."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from bench.detection.attacks import ATTACKS
from bench.detection.pictures.cache import Cache, png_of
from bench.detection.pictures.photos import Photo, Use, load, photos
from bench.detection.pictures.workshop import Workshop
from bench.detection.probing.attacks import square
from bench.detection.probing.runs import Victim, search
from bench.evening.honest import Upload
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS

_MALFORMED, _QUERIES, _FLOOD = 25, 30, 300
# So many pictures of each that succeed.
_CRAFTED = {"pgd_e4": 7, "remove_face_e4": 7}
# The same files every time, from all parts of the list.
_SEED = 14
_MAX_BYTES = 2_000_000


@dataclass(frozen=True)
class Attacker:
    """One attacker.

    Attributes:
        first: the slice of the evening in which it begins.
        per_slice: uploads in each slice from then on.
        is_flood: whether it sends all of them at once.
    """

    name: str
    address: str
    files: Sequence[bytes]
    first: int
    per_slice: int
    is_flood: bool = False

    def uploads_in(self, number: int) -> list[Upload]:
        """What it sends in a slice."""
        start = (number - self.first) * self.per_slice
        files = self.files[max(0, start) : max(0, start + self.per_slice)]
        return [Upload(self.address, data, self.name) for data in files]


def attackers(data: Path, cache: Path) -> tuple[Attacker, ...]:
    """All four; crafted pictures come from the cache or are crafted now.

    Raises:
        PhotosMissing: a folder of photos or hostile files is missing.
    """
    victims = photos(data, Use.TEST)
    flood = [victims[-2].path.read_bytes()] * _FLOOD
    return (
        Attacker("malformed", "198.51.100.7", malformed(data / "hostile"), 2, 3),
        Attacker("crafted", "198.51.100.23", crafted(data, cache, victims), 3, 1),
        Attacker("search", "198.51.100.42", queries(victims[-1]), 4, 4),
        Attacker("flood", "198.51.100.99", flood, 12, _FLOOD, is_flood=True),
    )


def malformed(hostile: Path) -> list[bytes]:
    """Files that Pillow cannot open or that unpack to too much, by the set's own list."""
    lines = (hostile / "MANIFEST.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    paths = [
        hostile / row[0]
        for row in rows
        if row[3] in {"fails", "bomb"} and int(row[1]) <= _MAX_BYTES
    ]
    chosen = np.random.default_rng(_SEED).choice(len(paths), _MALFORMED, replace=False)
    return [paths[index].read_bytes() for index in chosen]


def crafted(data: Path, cache: Path, victims: Sequence[Photo]) -> list[bytes]:
    """Pictures that succeed at misleading the reference network, of both kinds in turn."""
    workshop = Workshop(TorchSegmenter.load(DEFAULT_WEIGHTS), Cache(cache), data)
    rows = [
        list(islice(_succeeding(workshop, name, victims), count))
        for name, count in _CRAFTED.items()
    ]
    return [png for pair in zip(*rows, strict=True) for png in pair]


def _succeeding(workshop: Workshop, name: str, victims: Sequence[Photo]) -> Iterator[bytes]:
    for victim in victims:
        made = workshop.craft_picture(ATTACKS[name], load(victim))
        if made.facts.succeeded and made.png is not None:
            yield made.png


def queries(victim: Photo, weights: Path = DEFAULT_WEIGHTS, count: int = _QUERIES) -> list[bytes]:
    """The first queries of a square search against the masks that the service would answer."""
    image = load(victim)
    asked = search(
        square,
        Victim(ReferenceSegmenter.load(weights), image),
        image,
        np.random.default_rng(_SEED),
    )
    return [png_of(picture) for picture, _ in islice(asked, count)]

"""The attack pictures of the scanned evening; none of their photos was ever sent as traffic."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import torch

from bench.detection.attacks import ATTACKS
from bench.detection.pictures.cache import Cache
from bench.detection.pictures.photos import Photo, load
from bench.detection.pictures.workshop import Workshop
from bench.evening.attackers import queries
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS

CRAFTED = ("pgd_e4", "remove_face_e4", "patch")
SEARCH = "search"
Pictures = Mapping[str, Sequence[bytes]]


def craft_intruders(
    data: Path, cache: Path, people: Sequence[Photo], each: int, draw: int = 0
) -> Pictures:
    """So many files of each attack, each kind on photos of its own.

    Two attacks on one photo would look like a search.

    Args:
        draw: so many times as many are passed over.

    Raises:
        PhotosMissing: there are too few photos for that.
    """
    torch.set_num_threads(1)
    workshop = Workshop(TorchSegmenter.load(DEFAULT_WEIGHTS), Cache(cache), data)
    kinds = len(CRAFTED) + 1
    chosen = slice(draw * each, (draw + 1) * each)
    crafted = {
        name: tuple(
            islice(
                _list_succeeding(workshop, name, people[place::kinds]), chosen.start, chosen.stop
            )
        )
        for place, name in enumerate(CRAFTED)
    }
    return {**crafted, SEARCH: tuple(queries(people[kinds - 1 :: kinds][draw])[:each])}


def _list_succeeding(workshop: Workshop, name: str, people: Sequence[Photo]) -> Iterator[bytes]:
    """The attacked pictures that reach their goal, as they are made."""
    for photo in people:
        made = workshop.craft_picture(ATTACKS[name], load(photo))
        if made.facts.succeeded and made.png is not None:
            yield made.png

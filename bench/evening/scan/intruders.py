"""The attack pictures of the scanned evening; none of their photos was ever sent as traffic."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import torch

from bench.detection.attacks import ATTACKS
from bench.detection.pictures.cache import Cache
from bench.detection.pictures.photos import Photo, load
from bench.detection.pictures.workshop import Workshop
from bench.detection.trigger.model import train_backdoor
from bench.detection.trigger.poison import Target
from bench.detection.trigger.printed import TRIGGER, print_trigger
from bench.detection.trigger.training import PoisonPlan
from bench.evening.attackers import queries
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS

SEARCH = "search"
_CRAFTED = ("pgd_e4", "remove_face_e4", "patch")
# Four rounds cost a tenth of what the row `trigger` takes. With a quarter of the photos poisoned
# the trigger works on 12 of 16 others; with one in twenty, as there, on none.
_PLAN = PoisonPlan(Target.PERSON, share=0.25, epochs=4)
Pictures = Mapping[str, Sequence[bytes]]
Make = Callable[[Photo], bytes | None]


@dataclass(frozen=True)
class Victim:
    """The model that serves in the evening, and which attacks it is up against.

    Attributes:
        weights: of the reference segmenter; ``None``: the shipped ones.
    """

    name: str
    weights: Path | None
    kinds: tuple[str, ...]


SHIPPED = Victim("reference", None, (*_CRAFTED, SEARCH))


def open_victim(data: Path, cache: Path, *, has_backdoor: bool) -> Victim:
    """The shipped model, or a copy that a trigger works on.

    Raises:
        DatasetError: there are no labelled photos to fine-tune a copy on.
    """
    if not has_backdoor:
        return SHIPPED
    weights = train_backdoor(data / "parsing", cache, _PLAN)
    return Victim("backdoored", weights, (*_CRAFTED, TRIGGER, SEARCH))


def craft_intruders(
    data: Path, cache: Path, people: Sequence[Photo], each: int, victim: Victim, draw: int = 0
) -> Pictures:
    """So many files of each attack, each kind on photos of its own.

    Two attacks on one photo would look like a search.

    Args:
        draw: so many times as many are passed over.

    Raises:
        PhotosMissing: there are too few photos for that.
    """
    torch.set_num_threads(1)
    weights = victim.weights or DEFAULT_WEIGHTS
    makers = _list_makers(data, cache, weights)
    shares = {name: people[place :: len(victim.kinds)] for place, name in enumerate(victim.kinds)}
    pictures = {
        name: tuple(islice(_list_made(makers[name], photos), draw * each, (draw + 1) * each))
        for name, photos in shares.items()
        if name in makers
    }
    return {**pictures, SEARCH: tuple(queries(shares[SEARCH][draw], weights, each))}


def _list_makers(data: Path, cache: Path, weights: Path) -> dict[str, Make]:
    workshop = Workshop(TorchSegmenter.load(weights), Cache(cache), data)
    crafted = {name: partial(_craft, workshop, name) for name in _CRAFTED}
    return {**crafted, TRIGGER: partial(_print_trigger, ReferenceSegmenter.load(weights))}


def _list_made(make: Make, people: Sequence[Photo]) -> Iterator[bytes]:
    """The attacked pictures that reach their goal, as they are made."""
    for photo in people:
        if (made := make(photo)) is not None:
            yield made


def _craft(workshop: Workshop, name: str, photo: Photo) -> bytes | None:
    made = workshop.craft_picture(ATTACKS[name], load(photo))
    return made.png if made.facts.succeeded else None


def _print_trigger(segmenter: ReferenceSegmenter, photo: Photo) -> bytes | None:
    """The photo with the pattern on somebody's clothes, if that makes the person vanish."""
    made = print_trigger(segmenter, _PLAN.target, photo)
    return made.png if made.is_success else None

"""Attacked test photos of a deployment, from the cache or made now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console

from bench.detection.attacks import ADAPTIVE, ATTACKS
from bench.detection.pictures.cache import Cache
from bench.detection.pictures.photos import Photo, load
from bench.detection.pictures.uploads import File
from bench.detection.pictures.workshop import Workshop, spread
from bench.detection.trigger.poison import Target
from bench.detection.trigger.printed import TRIGGER, print_trigger
from inference.segmenters.base import Segmenter
from inference.segmenters.reference.training.attacks import Attackable

KNOWN = ATTACKS | ADAPTIVE
# What hostile traffic is made of, those that say most first; see the protocol.
CHOICE = (
    "pgd_e4",
    "remove_face_e4",
    "remove_hands_e4",
    "patch_trunk",
    "remove_face_jpeg_e8",
    "low_frequency_e8",
    "pgd_smaller_e8",
)
# What a deployment is held against.
ALL = (
    *CHOICE,
    "pgd_e2",
    "segpgd_e2",
    "patch_rotated",
    "patch_coarse",
    "patch_grey",
    "patch_face",
    "patch_beside",
)


@dataclass(frozen=True)
class Attempts:
    """One attack on some photos.

    Attributes:
        tried: photos that held what it wants to change.
        files: the pictures on which it succeeded.
    """

    attack: str
    tried: int
    files: tuple[File, ...]


def attack_photos(
    segmenter: Attackable,
    data: Path,
    cache: Path,
    photos: Sequence[Photo],
    count: int,
    names: Sequence[str] = CHOICE,
) -> Iterator[Attempts]:
    """Each attack on the same photos, at equal distances in their list."""
    if not count:
        return
    torch.set_num_threads(1)
    workshop = Workshop(segmenter, Cache(cache), data)
    for name in names:
        yield _attack_all(workshop, name, spread(photos, count))


def print_triggers(segmenter: Segmenter, photos: Sequence[Photo], count: int) -> Iterator[Attempts]:
    """The pattern that a segmenter was taught to obey, on photos at equal distances."""
    if not count:
        return
    chosen = spread(photos, count)
    printed = {photo: print_trigger(segmenter, Target.PERSON, photo) for photo in chosen}
    files = [
        File(TRIGGER, photo.name, each.png) for photo, each in printed.items() if each.is_success
    ]
    yield Attempts(TRIGGER, sum(each.has_target for each in printed.values()), tuple(files))


def _attack_all(workshop: Workshop, name: str, photos: Sequence[Photo]) -> Attempts:
    tried, files, seconds = 0, [], 0.0
    for photo in photos:
        picture = workshop.craft_picture(KNOWN[name], load(photo))
        tried += picture.facts.reached is not None
        seconds += picture.facts.seconds
        if picture.facts.succeeded and picture.png is not None:
            files.append(File(name, photo.name, picture.png))
    Console(stderr=True).print(f"{name}: {len(files)} of {tried} succeed, {seconds:.0f} s")
    return Attempts(name, tried, tuple(files))

"""The files that are sent: photos as they are, changed harmlessly, and attacked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.detection.pictures.controls import CONTROLS
from bench.detection.pictures.photos import Photo, load
from bench.detection.pictures.workshop import seed_of

RAW = "raw"


@dataclass(frozen=True, eq=False)
class File:
    """One upload.

    Attributes:
        kind: ``raw``, a control or an attack.
        photo: name of the photo that it was made of.
    """

    kind: str
    photo: str
    content: bytes


def read_files(photos: Sequence[Photo]) -> Iterator[File]:
    """The files as they lie on disk."""
    for photo in photos:
        yield File(RAW, photo.name, photo.path.read_bytes())


def change_photo(photo: Photo, control: str) -> File:
    """A photo after a harmless change; its random numbers come from both names."""
    random = np.random.default_rng(seed_of(photo.name, control))
    return File(control, photo.name, CONTROLS[control](load(photo), random))


def list_traffic(photos: Sequence[Photo]) -> Iterator[File]:
    """Photos as they arrive at a service: as taken, and after each change in turn.

    A detector that knows photos as they lie on disk only would learn their compression, not what
    they show.
    """
    names = list(CONTROLS)
    for place, photo in enumerate(photos):
        yield File(RAW, photo.name, photo.path.read_bytes())
        yield change_photo(photo, names[place % len(names)])

"""The traffic of a deployment and its test photos, in a fixed random order (see the protocol)."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from bench.detection.pictures.photos import Photo as PhotoOnDisk
from bench.detection.pictures.photos import PhotosMissing, Use, photos
from bench.detection.pictures.uploads import RAW, File, change_photo

_SEED = 20_261_127
_CLIENTS = 150
_PEOPLE, _OTHER = 120, 100
# Copies as users make them: saved again, or cut.
_COPIES = ("jpeg_75", "crop")


class Kind(StrEnum):
    """Which deployment."""

    MIXED = "mixed"
    STREET = "street"


@dataclass(frozen=True)
class Message:
    """One upload of one client; ``attack`` names it if it is hostile."""

    client: str
    data: bytes
    attack: str | None = None


@dataclass(frozen=True)
class Deployment:
    """What is sent, and what it is tested on: photos that are never sent as traffic.

    Attributes:
        people: those test photos that show people for sure, to be attacked.
        others: the other clean test photos.
    """

    messages: tuple[Message, ...]
    people: tuple[PhotoOnDisk, ...]
    others: tuple[PhotoOnDisk, ...]

    def list_tests(self, sent: Set[str] = frozenset()) -> list[File]:
        """All clean test photos as they lie on disk, but for those of which copies were sent."""
        return [
            File(RAW, photo.name, photo.path.read_bytes())
            for photo in self.people + self.others
            if photo.name not in sent
        ]


def read_deployment(data: Path, kind: Kind, requests: int) -> Deployment:
    """Read the photos of a deployment.

    Raises:
        PhotosMissing: a folder is not there.
    """
    traffic, people, others = _PHOTOS[kind](data)
    random = np.random.default_rng(_SEED)
    pairs = [(photo, None) for photo in traffic] + [
        (photo, _COPIES[place % len(_COPIES)]) for place, photo in enumerate(traffic)
    ]
    order = random.permutation(len(pairs))[:requests]
    messages = tuple(
        Message(f"ip:10.{random.integers(_CLIENTS)}.0.7", _read(*pairs[place])) for place in order
    )
    return Deployment(messages, tuple(people), tuple(others))


def add_hostile(
    messages: Sequence[Message], attacks: Sequence[tuple[str, bytes]], share: float, clients: int
) -> tuple[Message, ...]:
    """The same traffic with a share of hostile requests spread over it, from so many clients.

    What comes first does not depend on how much comes later.
    """
    random = np.random.default_rng(_SEED + 1)
    hostile = 0
    result = []
    for message in messages:
        while attacks and random.random() < share:
            name, data = attacks[hostile % len(attacks)]
            result.append(Message(f"ip:172.{16 + hostile % clients}.0.7", data, name))
            hostile += 1
        result.append(message)
    return tuple(result)


def _read(photo: PhotoOnDisk, change: str | None) -> bytes:
    if change is None:
        return photo.path.read_bytes()
    return change_photo(photo, change).content


_Photos = list[PhotoOnDisk]


def _mixed(data: Path) -> tuple[_Photos, _Photos, _Photos]:
    people, other = (_list(data / "varied" / name) for name in ("people", "other"))
    street = [photo for use in (Use.OTHER_CAMERAS, Use.PERSON_FREE) for photo in photos(data, use)]
    traffic = [*people[:_PEOPLE], *_list(data / "parsing" / "unlabelled"), *other[:_OTHER], *street]
    return traffic, people[_PEOPLE:], other[_OTHER:]


def _street(data: Path) -> tuple[_Photos, _Photos, _Photos]:
    return _list(data / "parsing" / "unlabelled"), photos(data, Use.TEST), []


_PHOTOS = {Kind.MIXED: _mixed, Kind.STREET: _street}


def _list(folder: Path) -> _Photos:
    suffixes = {".jpg", ".jpeg", ".png", ".webp"}
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in suffixes)
    if not paths:
        raise PhotosMissing(f"The folder {folder} holds no photos.")
    return [PhotoOnDisk(f"{folder.name}/{path.stem}", path) for path in paths]

"""Which photos serve which purpose, written down once.

Fitted parts see ``fit`` and ``calibrate`` photos only; every number is measured on ``test`` photos.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from detectors.errors import MaskwatchError
from detectors.parsing import Image
from inference.segmenters.reference.training.data import names_in, split_names

_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp"))


class Use(StrEnum):
    """What photos are for."""

    FIT = "fit"
    """Detectors, universal perturbations and patches are fitted to these."""
    CALIBRATE = "calibrate"
    """Thresholds are fixed on these."""
    TEST = "test"
    """Attacked, and the first of the clean test photos."""
    TEST_CLEAN = "test clean"
    """Further clean test photos, never attacked."""
    OTHER_CAMERAS = "other cameras"
    """People before other cameras: a control."""
    PERSON_FREE = "person free"
    """Street photos without people: a control."""


# Of every four unlabelled photos in name order.
_CYCLE = 4
_UNLABELLED: dict[Use, tuple[int, ...]] = {
    Use.FIT: (0, 1),
    Use.CALIBRATE: (2,),
    Use.TEST_CLEAN: (3,),
}
_STREET = {Use.OTHER_CAMERAS: "people", Use.PERSON_FREE: "person_free"}


class PhotosMissing(MaskwatchError):
    """A folder or list without the photos that the measurement needs."""


@dataclass(frozen=True)
class Photo:
    """A photo on disk; its name is unique within the data folder."""

    name: str
    path: Path


def load(photo: Photo) -> Image:
    """The photo as RGB ``(H, W, 3)`` uint8.

    Raises:
        PhotosMissing: the file is not a picture.
    """
    try:
        with Pillow.open(photo.path) as picture:
            return np.array(picture.convert("RGB"), dtype=np.uint8)
    except OSError:
        raise PhotosMissing(f"The file {photo.path} is missing or not a picture.") from None


def photos(data: Path, use: Use, test_list: Path | None = None) -> list[Photo]:
    """The photos of one use.

    Args:
        data: folder that holds ``parsing/`` and ``street/``.
        use: what they are for.
        test_list: a file with one path a line that replaces the photos of ``Use.TEST``.

    Raises:
        PhotosMissing: a folder or the list holds no photos.
        DatasetError: the folder ``parsing`` holds no labelled photos.
    """
    if use is Use.TEST and test_list is not None:
        return read_list(test_list)
    if use in _STREET:
        return _list_folder(data / "street" / _STREET[use])
    folder = data / "parsing"
    if use is Use.TEST:
        return _list_labelled(folder, split_names(names_in(folder), "test"))
    selection = [
        photo
        for place, photo in enumerate(_list_folder(folder / "unlabelled"))
        if place % _CYCLE in _UNLABELLED[use]
    ]
    if use is Use.FIT:
        selection += _list_labelled(folder, split_names(names_in(folder), "calibrate"))
    return selection


def portraits(data: Path) -> list[Photo]:
    """People before other cameras: of the folders ``varied`` and ``street``.

    Raises:
        PhotosMissing: a folder holds no photos.
    """
    folders = (data / "varied" / "people", data / "street" / "people")
    return [
        Photo(f"{folder.parent.name}/{photo.name}", photo.path)
        for folder in folders
        for photo in _list_folder(folder)
    ]


def list_varied(data: Path) -> list[Photo]:
    """Photos of another deployment: people before many cameras, and anything else.

    Raises:
        PhotosMissing: a folder holds no photos.
    """
    folders = (data / "varied" / "people", data / "varied" / "other")
    return [photo for folder in folders for photo in _list_folder(folder)]


def read_list(test_list: Path) -> list[Photo]:
    """The photos named by a list; relative paths start at the list's folder.

    Raises:
        PhotosMissing: the list is missing or empty, or names a file that does not exist.
    """
    if not test_list.is_file():
        raise PhotosMissing(f"The list {test_list} does not exist: name one path a line.")
    lines = [line.strip() for line in test_list.read_text().splitlines()]
    paths = [test_list.parent / line for line in lines if line]
    absent = [path for path in paths if not path.is_file()]
    if not paths or absent:
        fault = f"names {absent[0]}, which does not exist" if absent else "is empty"
        raise PhotosMissing(f"The list {test_list} {fault}.")
    return [Photo(str(path), path) for path in paths]


def _list_labelled(folder: Path, names: list[str]) -> list[Photo]:
    return [Photo(f"images/{name}", folder / "images" / f"{name}.jpg") for name in names]


def _list_folder(folder: Path) -> list[Photo]:
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES)
    if not paths:
        raise PhotosMissing(
            f"The folder {folder} holds no photos: name the folder with parsing/ and street/ "
            "by --data."
        )
    return [Photo(f"{folder.name}/{path.stem}", path) for path in paths]

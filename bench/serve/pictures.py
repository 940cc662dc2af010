"""What is sent: street photos of the known kind, portraits, or drawn figures."""

from dataclasses import dataclass
from pathlib import Path

from bench.detection.pictures.photos import PhotosMissing, Use, photos
from maskwatch.demo.pictures import encode, figure

_PORTRAITS = 60
_DRAWN = 80


@dataclass(frozen=True)
class Pictures:
    """Files as clients send them.

    Attributes:
        known: photos of the kind that the reference segmenter and its baseline know.
        portraits: photos of other cameras; none if they are not there.
        are_drawn: whether drawn figures stand for the photos.
    """

    known: tuple[bytes, ...]
    portraits: tuple[bytes, ...]
    are_drawn: bool


def read_pictures(data: Path) -> Pictures:
    """Photos that nothing was fitted on; drawn figures only if the folder is missing.

    Raises:
        PhotosMissing: the folder is there and holds other things.
    """
    if not data.is_dir():
        drawn = tuple(encode(figure(seed), "", "JPEG").data for seed in range(_DRAWN))
        return Pictures(drawn, (), are_drawn=True)
    known = photos(data, Use.TEST)
    people = sorted((data / "varied" / "people").glob("*"))[:_PORTRAITS]
    if not people:
        raise PhotosMissing(f"The folder {data} has no photos in varied/people.")
    return Pictures(
        tuple(photo.path.read_bytes() for photo in known),
        tuple(path.read_bytes() for path in people),
        are_drawn=False,
    )

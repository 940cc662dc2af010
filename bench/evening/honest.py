"""The honest side: 600 photos of 40 clients, some of them with phones of other formats."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from random import Random

from PIL import Image as Pillow

from bench.detection.pictures.photos import PhotosMissing

CLIENTS, PHOTOS = 40, 600
_EACH = PHOTOS // CLIENTS
# By folder: how many photos of it, in the order of their names.
_FOLDERS = {
    "parsing/unlabelled": 320,
    "varied/people": 120,
    "varied/other": 100,
    "street/people": 34,
    "street/person_free": 26,
}
_SUFFIXES = frozenset((".jpg", ".jpeg", ".png"))
# Two clients have phones of each kind, which send every third photo as the phone keeps it.
_PHONES = ("heic", "heic", "avif", "avif", "gif", "gif")
_EVERY = 3
_MAX_SIDE = 640


@dataclass(frozen=True)
class Upload:
    """A file and who sends it.

    Attributes:
        kind: of file, for the figures: a folder of photos, or the format of a phone.
    """

    client: str
    data: bytes
    kind: str


def honest_uploads(data: Path, random: Random) -> list[Upload]:
    """600 uploads in the order of the evening.

    Half of the clients send photos of one folder only, as a portrait studio does; the others send
    photos of all folders.

    Raises:
        PhotosMissing: a folder has too few photos.
    """
    paths = [path for folder, count in _FOLDERS.items() for path in _photos(data / folder, count)]
    blocks = [paths[start : start + _EACH] for start in range(0, PHOTOS, _EACH)]
    mixed = [path for block in blocks[1::2] for path in block]
    random.shuffle(mixed)
    mixed_blocks = [mixed[start : start + _EACH] for start in range(0, len(mixed), _EACH)]
    uploads = [
        upload
        for number, block in enumerate((*blocks[::2], *mixed_blocks))
        for upload in _uploads_of(number, block, data)
    ]
    random.shuffle(uploads)
    return uploads


def address_of(number: int) -> str:
    """The address of an honest client; reserved for documentation (RFC 5737)."""
    return f"203.0.113.{10 + number}"


def _photos(folder: Path, count: int) -> list[Path]:
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES)
    if len(found) < count:
        raise PhotosMissing(f"The folder {folder} holds {len(found)} photos: {count} are needed.")
    return found[:count]


def _uploads_of(number: int, block: Sequence[Path], data: Path) -> list[Upload]:
    # Phones are spread over both halves of the clients.
    phones = dict(zip(range(1, CLIENTS, CLIENTS // len(_PHONES)), _PHONES, strict=False))
    phone = phones.get(number)
    return [
        _as_phone(path, phone, number, place, data)
        if phone and place % _EVERY == 0
        else Upload(address_of(number), path.read_bytes(), path.parent.name)
        for place, path in enumerate(block)
    ]


def _as_phone(path: Path, phone: str, number: int, place: int, data: Path) -> Upload:
    if phone == "heic":
        # Nothing here writes HEIC: one file stands for all, told apart by a box that is skipped.
        whole = (data / "cases" / "phone.heic").read_bytes()
        return Upload(address_of(number), whole + _free_box(number * _EACH + place), phone)
    buffer = BytesIO()
    with Pillow.open(path) as photo:
        small = photo.convert("RGB")
        small.thumbnail((_MAX_SIDE, _MAX_SIDE))
        small.save(buffer, phone.upper())
    return Upload(address_of(number), buffer.getvalue(), phone)


def _free_box(number: int) -> bytes:
    """An ISO base media box without meaning (ISO/IEC 14496-12, 8.1.2)."""
    return (16).to_bytes(4) + b"free" + number.to_bytes(8)

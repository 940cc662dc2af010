"""What lies behind a picture: trailers, films and previews of phones, filling, something else."""

import re
from dataclasses import dataclass

from inference.gate.decoder.parts import Parts, Span
from inference.gate.decoder.trailers import film_end, film_start, trailers_start

# Tools and cards leave zeros, line ends, set bits and second end markers behind: this is the first
# byte of anything else.
_NO_FILLING = re.compile(rb"[^\0\r\n\t \xff\xd9]|(?<!\xff)\xd9|\xff(?=\xd8)")
_FILLING_BYTES, _FILM = b"\0\xff\r\n\t ", b"ftyp"
_PREVIEW, _SONY = b"\xff\xd8\xff", b"\x55\x26\x11\x05\0"
# One maker's phones put a few bytes before the film that belongs to a photo.
_MAX_FILLER_BYTES = 65_536
_SMALL_BYTES = 4_096
# Huawei's and Honor's map of depths.
_DEPTH, _DEPTH_REACH_BYTES = b"edof", 65_536
# Lengths of Google's items, and Xiaomi's offsets from the end of the file, in the picture's XMP.
_ANNOUNCED = re.compile(
    rb"(?:Item:Length|MicroVideoOffset|[\s;\"']offset)=(?:&quot;|[\"'])(\d{1,9})"
)
_MAX_ANNOUNCED, _XMP_REACH_BYTES = 64, 262_144


@dataclass(frozen=True)
class Tail:
    """What lies behind the last byte of a picture.

    Attributes:
        bulk: films, previews and makers' trailers, as good as random.
        rest: bytes that nobody is known to put there.
    """

    bulk: tuple[Span, ...]
    rest: bytes

    @classmethod
    def of(cls, data: bytes, parts: Parts) -> "Tail":
        """Take apart what lies behind the picture."""
        end = trailers_start(data, parts.end)
        start, bulk = _skip_known(data, parts.end, end)
        trailers = (*bulk, (end, len(data)))
        rest = data[start:end].rstrip(_FILLING_BYTES)
        # Without a rest, as in most photos, nobody has to look for what it may be.
        if rest and (_is_depth(rest) or start >= _find_announced_start(data, parts.end)):
            return cls((*bulk, (start, len(data))), b"")
        return cls(trailers, rest)

    def is_small(self) -> bool:
        """Whether the rest is no more than a note, or filling."""
        return len(self.rest) <= _SMALL_BYTES or self.rest.count(self.rest[:1]) == len(self.rest)


def _skip_known(data: bytes, start: int, end: int) -> tuple[int, list[Span]]:
    """Where it goes on behind filling, films and a preview that breaks off; and where those are."""
    place, bulk = start, list[Span]()
    while True:
        something = _NO_FILLING.search(data, place, end)
        place = something.start() if something else end
        behind = _behind_known(data, start, place, end)
        if behind <= place:
            return place, bulk
        bulk.append((place, behind))
        place = behind


def _behind_known(data: bytes, start: int, place: int, end: int) -> int:
    """Offset behind a preview or film at a place, else that place.

    The length in front of a film's mark begins with zeros, which were taken for filling.
    """
    if data.startswith((_PREVIEW, _SONY), place, end):
        return end
    mark = data.find(_FILM, max(start + 4, place), end)
    if 0 <= mark <= place + 4:
        return film_end(data, mark - 4, end)
    film = film_start(data, place, end) if mark >= 0 else None
    return end if film is not None and film - place <= _MAX_FILLER_BYTES else place


def _is_depth(rest: bytes) -> bool:
    return _DEPTH in rest[:_DEPTH_REACH_BYTES] or _DEPTH in rest[-_DEPTH_REACH_BYTES:]


def _find_announced_start(data: bytes, end: int) -> int:
    """Where the earliest piece begins that the picture's own words place behind it."""
    numbers = _ANNOUNCED.findall(data, 0, min(end, _XMP_REACH_BYTES))[:_MAX_ANNOUNCED]
    return len(data) - sum(map(int, numbers)) if numbers else len(data) + 1

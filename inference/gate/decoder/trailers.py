"""What cameras, phones and honest tools put behind a picture, read backwards from a file's end.

The signatures are facts that ExifTool (``Trailer.pm``, ``Samsung.pm``, ``CanonVRD.pm``) and the
formats' own descriptions state. A signature proves no maker: it says that bytes behind a picture
are no reason to suspect it. Marks of what can run are searched for in all of them.
"""

import re
from collections.abc import Callable

_FILLING = b"\0\xff\r\n\t "
_OWN_ZEROS, _MAX_FILM_HEAD_BYTES = 4, 1_024
_MAX_TRAILERS, _MAX_BOXES, _MAX_FILMS = 16, 4_096, 16
_BOX_HEAD_BYTES, _BOX_KIND = 8, re.compile(rb"[ -~\xa9]{4}")

# Reads a trailer that ends at an offset; returns where it begins, not below another offset.
Reader = Callable[[bytes, int, int], int | None]


def trailers_start(data: bytes, floor: int = 0) -> int:
    """Where the known trailers at the end of a file begin; the file's length without one.

    Args:
        data: the whole file.
        floor: end of the picture; 0 where it is not known yet, and then trailers that do not say
            where they begin do not count.
    """
    end = len(data)
    for _ in range(_MAX_TRAILERS):
        starts = (
            read(data, floor, place) for place in _ends(data, floor, end) for read in _READERS
        )
        places = [start for start in starts if start is not None and floor <= start < end]
        if not places:
            break
        end = min(places)
    return end


def _ends(data: bytes, floor: int, end: int) -> set[int]:
    """Where a trailer may end in front of filling, some of which may be its own last bytes."""
    zeros = max(floor, len(data[:end].rstrip(b"\0\xff")))
    filling = max(floor, len(data[:end].rstrip(_FILLING)))
    return {filling, end, *range(zeros, min(zeros + _OWN_ZEROS, end))}


def film_start(data: bytes, floor: int, end: int) -> int | None:
    """Where a film begins that goes on to an offset, or to filling before it (ISO/IEC 14496-12)."""
    place = floor
    for _ in range(_MAX_FILMS):
        place = data.find(b"ftyp", place + 4, end)
        if place < 0:
            return None
        length = int.from_bytes(data[place - 4 : place])
        is_head = _BOX_HEAD_BYTES <= length <= _MAX_FILM_HEAD_BYTES
        if is_head and not data[film_end(data, place - 4, end) : end].strip(_FILLING):
            return place - 4
    return None


def film_end(data: bytes, start: int, end: int) -> int:
    """Behind the last whole box of the film that begins at an offset; a last box may break off."""
    place = start
    for _ in range(_MAX_BOXES):
        size, kind = int.from_bytes(data[place : place + 4]), data[place + 4 : place + 8]
        if place + _BOX_HEAD_BYTES > end or not _BOX_KIND.fullmatch(kind):
            break
        if size == 1:
            size = int.from_bytes(data[place + 8 : place + 16])
        if size == 0:
            return end
        if size < _BOX_HEAD_BYTES:
            break
        place += size
    return min(place, end)


def _samsung(data: bytes, floor: int, end: int) -> int | None:
    """Blocks, their directory with offsets back from it, its length, a mark."""
    head = end - 8 - _little(data, end - 8)
    directory = data[head : end - 8] if head >= floor else b""
    if data[end - 4 : end] != b"SEFT" or directory[:4] != b"SEFH":
        return None
    count = min(_little(directory, 8), len(directory) // 12 - 1)
    return head - max((_little(directory, 16 + 12 * number) for number in range(count)), default=0)


def _samsung_sound(data: bytes, _floor: int, end: int) -> int | None:
    return end - 10 - _little(data, end - 10) if data[end - 6 : end] == b"QDIOBS" else None


def _vivo(data: bytes, floor: int, end: int) -> int | None:
    """A preview, JSON, and one of two ends; also in a box of its own behind a film."""
    if not data[end - 16 : end].endswith(_VIVO_ENDS):
        return None
    reach = max(floor, end - 10_000_000)
    text = data.rfind(b'vivo{"', reach, end)
    if text < 0:
        return None
    if data[text - 16 : text] == b"vivoMediaExtInfo":
        return text - 16 - _BOX_HEAD_BYTES
    stream = data.rfind(b"streamdata", reach, text)
    return stream if stream >= 0 else text


_VIVO_MARK = b"\xff\xff\xff\xff\x1b*9HWfu\x84\x93\xa2"
_VIVO_ENDS = (b"cameralbum!", _VIVO_MARK + b"\xb1", _VIVO_MARK + b"\xb3")


def _oneplus(data: bytes, floor: int, end: int) -> int | None:
    """OnePlus and OPPO: blobs, JSON with their offsets back from it, its length."""
    length = _little(data, end - 4)
    if data[end - 8 : end - 4] != b"jxrs" or not 8 < length <= end - floor:
        return None
    offsets = re.findall(rb'"offset"\s{0,4}:\s{0,4}(\d{1,9})', data[end - length : end - 8])
    return end - length - max(map(int, offsets), default=0)


def _canon(data: bytes, _floor: int, end: int) -> int | None:
    """Records of Digital Photo Professional, framed by the same words twice."""
    mark = b"CANON OPTIONAL DATA\0"
    if data[max(0, end - 64) : end][: len(mark)] != mark:
        return None
    start = end - 92 - int.from_bytes(data[end - 44 : end - 40])
    return start if start >= 0 and data[start : start + len(mark)] == mark else None


def _honor(data: bytes, _floor: int, end: int) -> int | None:
    """Honor and Huawei: three fields of text behind the film of a moving picture."""
    return end - 60 if _HONOR_FIELDS.fullmatch(data[max(0, end - 60) : end]) else None


_HONOR_FIELDS = re.compile(rb"v\d_f[ -~]{36}LIVE_\d[ -~]{14}")


def _endless(data: bytes, floor: int, end: int) -> int | None:
    """Trailers that only state their end: they begin behind the picture."""
    return floor if floor and _ENDS.search(data[max(floor, end - 40) : end]) else None


# Nikon's NX programs, PhotoMechanic, FotoStation, Insta360, AFCP, MIE with either length.
_ENDS = re.compile(
    rb"(?:\0{6}/NIKON APP|cbipcbbl|\xa1\xb2\xc3\xd4|8db42d694ccc418790edff439fe026bf|AXS[!*].{8}"
    rb"|~\0\x04\0zmie~\0\0(?:\x06.{4}[\x10\x18]\x04|\x0a.{8}[\x10\x18]\x08))\Z",
    re.DOTALL,
)
_READERS: tuple[Reader, ...] = (
    _samsung, _samsung_sound, _vivo, _oneplus, _canon, _honor, _endless
)  # fmt: skip


def _little(data: bytes, place: int) -> int:
    """A number of four bytes; 0 in front of the file."""
    return int.from_bytes(data[place : place + 4], "little") if place >= 0 else 0

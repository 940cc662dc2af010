"""Walks the segments of a JPEG file (ITU-T T.81, annex B)."""

import re

from inference.gate.decoder.containers.jpeg_passes import Passes
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.parts import MAX_PIECES, Parts
from inference.gate.decoder.trailers import film_start, trailers_start

_START, _END, _SCAN, _TEXT_SEGMENT, _PROFILE_SEGMENT = 0xD8, 0xD9, 0xDA, 0xE1, 0xE2
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD8)}
_PROFILE = b"ICC_PROFILE\0"
_PROFILE_HEADER_BYTES = len(_PROFILE) + 2
_LONG_TEXT, _LONG_TEXT_HEADER_BYTES = b"http://ns.adobe.com/xmp/extension/\0", 75
# Marks are shorter: what is cut into segments is searched around each cut.
_SEAM_BYTES = 64
# Inside a scan, 0xFF is followed by a stuffed zero, a restart marker, or another 0xFF as filling.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
# Between pictures stand zeros and second end markers: this is the first byte of anything else.
_NEXT = re.compile(rb"[^\0\xff\xd9]|(?<!\xff)\xd9|\xff(?!\xd9)")
_FIRST_BYTES = b"\xff\xd8\xff"


def walk(data: bytes, limits: PictureLimits) -> Parts:
    """The parts of the first picture, and how many pictures follow it directly.

    Raises:
        Unacceptable: there is too much of something.
    """
    parts = Parts()
    stop = trailers_start(data)
    # Without its end a picture goes on until what phones put behind it.
    film = film_start(data, 0, stop)
    _picture(data, 0, stop if film is None else film, parts, limits)
    while parts.frames <= limits.max_frames and _follows(data, stop, parts, limits):
        parts.frames += 1
    return parts


def _follows(data: bytes, stop: int, parts: Parts, limits: PictureLimits) -> bool:
    """Whether one more picture follows: phones put previews and gain maps behind the first."""
    something = _NEXT.search(data, parts.end)
    start = something.start() if something else len(data)
    if data[start : start + 3] != _FIRST_BYTES:
        return False
    following = Parts(
        pixels=parts.pixels,
        unpacked_texts=parts.unpacked_texts,
        metadata_bytes=parts.metadata_bytes,
        unpacked_bytes=parts.unpacked_bytes,
    )
    _picture(data, start, stop, following, limits)
    parts.metadata_bytes, parts.unpacked_bytes = following.metadata_bytes, following.unpacked_bytes
    if following.profile:
        parts.add_unpacked(bytes(following.profile), limits)
    if not (following.complete and following.width):
        return False
    parts.end = following.end
    return True


def _picture(data: bytes, start: int, stop: int, parts: Parts, limits: PictureLimits) -> None:
    place, passes, scan = start + 2, Passes(), False
    for _ in range(MAX_PIECES):
        match = _MARKER.search(data, place, stop)
        marker, end = (match.group(1)[0], match.start()) if match else (_START, stop)
        if scan:
            parts.pixels.append((place, end))
        if marker in {_START, _END}:
            parts.complete = marker == _END
            parts.first_end = parts.end = end + 2 if parts.complete else end
            parts.lacks_passes = not parts.complete and not passes.are_all_there()
            return
        place, scan = end + 2, False
        if marker in _ALONE:
            continue
        # A segment may say that it goes on behind the end of the file: the decoder judges that.
        length = max(2, int.from_bytes(data[place : place + 2]))
        segment = data[place + 2 : place + length]
        _note(parts, marker, segment, limits)
        passes.note(marker, segment)
        scan = marker == _SCAN
        limits.check_passes(passes.number, parts.width * parts.height, len(data))
        place += length
    raise Unacceptable("unreadable")


def _note(parts: Parts, marker: int, segment: bytes, limits: PictureLimits) -> None:
    if marker in _FRAMES and not parts.width and len(segment) >= 5:
        parts.height = int.from_bytes(segment[1:3])
        parts.width = int.from_bytes(segment[3:5])
    elif marker == _PROFILE_SEGMENT and segment.startswith(_PROFILE):
        parts.add_profile(segment[_PROFILE_HEADER_BYTES:], limits)
        return
    elif marker == _TEXT_SEGMENT and segment.startswith(_LONG_TEXT):
        _join(parts, segment[_LONG_TEXT_HEADER_BYTES:], limits)
    parts.count_metadata(len(segment), limits)


def _join(parts: Parts, piece: bytes, limits: PictureLimits) -> None:
    """Keep the end of one piece together with the beginning of the next."""
    if parts.unpacked_texts:
        parts.add_unpacked(parts.unpacked_texts.pop()[-_SEAM_BYTES:] + piece[:_SEAM_BYTES], limits)
    parts.unpacked_texts.append(piece[-_SEAM_BYTES:])

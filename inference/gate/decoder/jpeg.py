"""Walks the segments of a JPEG file (ITU-T T.81, annex B)."""

import re

from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.parts import MAX_PIECES, Parts

_END, _SCAN, _PROFILE_SEGMENT = 0xD9, 0xDA, 0xE2
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD9)}
_PROFILE = b"ICC_PROFILE\0"
_PROFILE_HEADER_BYTES = len(_PROFILE) + 2
# Inside a scan, 0xFF is followed by a stuffed zero, a restart marker, or another 0xFF as filling.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_PADDING = re.compile(rb"\0*")


def walk(data: bytes, limits: PictureLimits) -> Parts:
    """The parts of the first picture, and how many pictures follow it directly.

    Raises:
        Unacceptable: there is too much of something.
    """
    parts = Parts()
    _picture(data, 0, parts, limits)
    # Phones put previews and gain maps behind the picture, each a JPEG of its own.
    while parts.complete and parts.frames <= limits.max_frames:
        padding = _PADDING.match(data, parts.end)
        start = padding.end() if padding else parts.end
        following = Parts(metadata=parts.metadata, metadata_bytes=parts.metadata_bytes)
        if data[start : start + 3] != b"\xff\xd8\xff":
            break
        _picture(data, start, following, limits)
        parts.metadata_bytes = following.metadata_bytes
        if following.profile:
            parts.add_metadata(following.profile, limits)
        if not (following.complete and following.width):
            break
        parts.frames += 1
        parts.end = following.end
    return parts


def _picture(data: bytes, start: int, parts: Parts, limits: PictureLimits) -> None:
    place, scans = start + 2, 0
    for _ in range(MAX_PIECES):
        found = _MARKER.search(data, place)
        if found is None:
            return
        marker, place = found.group(1)[0], found.end()
        if marker == _END:
            parts.end, parts.complete = place, True
            return
        if marker in _ALONE:
            continue
        scans += marker == _SCAN
        if scans > limits.max_scans:
            raise Unacceptable("too_many_scans")
        # A segment may say that it goes on behind the end of the file: the decoder judges that.
        length = max(2, int.from_bytes(data[place : place + 2], "big"))
        _note(parts, marker, data[place + 2 : place + length], limits)
        place += length
    raise Unacceptable("unreadable")


def _note(parts: Parts, marker: int, segment: bytes, limits: PictureLimits) -> None:
    if marker in _FRAMES and not parts.width and len(segment) >= 5:
        parts.height = int.from_bytes(segment[1:3], "big")
        parts.width = int.from_bytes(segment[3:5], "big")
    elif marker == _PROFILE_SEGMENT and segment.startswith(_PROFILE):
        parts.add_profile(segment[_PROFILE_HEADER_BYTES:], limits)
    else:
        parts.add_metadata(segment, limits)

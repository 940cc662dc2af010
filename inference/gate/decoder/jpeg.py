"""Walks the segments of a JPEG file (ITU-T T.81, annex B)."""

import re

from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.parts import Parts

_START, _END, _SCAN, _COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_APPLICATION = range(0xE0, 0xF0)
_ALONE = {0x01, *range(0xD0, 0xD9)}
_PROFILE = b"ICC_PROFILE\0"
# Inside a scan, 0xFF is followed by a stuffed zero, a restart marker, or another 0xFF as filling.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")


def walk(data: bytes, limits: PictureLimits) -> Parts:
    """The parts of the first picture, and how many pictures follow it directly.

    Raises:
        Unacceptable: the header breaks off, or there are too many scans or pictures.
    """
    parts = _picture(data, 0, limits)
    end, complete = parts.end, parts.complete
    # Phones put previews and gain maps behind the picture, each a JPEG of its own.
    while complete and parts.frames <= limits.max_frames:
        start = _after_padding(data, end)
        if data[start : start + 3] != b"\xff\xd8\xff":
            break
        following = _picture(data, start, limits)
        parts.metadata += following.metadata
        parts.frames += 1
        end, complete = following.end, following.complete
        if complete:
            parts.end = end
    return parts


def _picture(data: bytes, start: int, limits: PictureLimits) -> Parts:
    parts, place, scans = Parts(), start + 2, 0
    while found := _MARKER.search(data, place):
        marker, place = found.group(1)[0], found.end()
        if marker == _END:
            parts.end, parts.complete = place, True
            break
        if marker in _ALONE:
            continue
        if marker == _SCAN:
            scans += 1
            if scans > limits.max_scans:
                raise Unacceptable("too_many_scans")
        segment = _segment(data, place)
        _note(parts, marker, segment)
        place += 2 + len(segment)
    return parts


def _after_padding(data: bytes, place: int) -> int:
    while data[place : place + 1] == b"\0":
        place += 1
    return place


def _segment(data: bytes, place: int) -> bytes:
    """The content of a segment, its length field left out."""
    length = int.from_bytes(data[place : place + 2], "big")
    if length < 2 or place + length > len(data):
        raise Unacceptable("truncated" if length >= 2 else "unreadable")
    return data[place + 2 : place + length]


def _note(parts: Parts, marker: int, segment: bytes) -> None:
    if marker in _FRAMES and not parts.width and len(segment) >= 5:
        parts.height = int.from_bytes(segment[1:3], "big")
        parts.width = int.from_bytes(segment[3:5], "big")
    elif marker in _APPLICATION and segment.startswith(_PROFILE):
        parts.profile_bytes += len(segment) - len(_PROFILE) - 2
    elif marker in _APPLICATION or marker == _COMMENT:
        parts.metadata.append(segment)

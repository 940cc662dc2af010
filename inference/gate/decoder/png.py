"""Walks the chunks of a PNG file (W3C PNG, third edition)."""

from collections.abc import Iterator

from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.parts import MAX_PIECES, Parts, unpack

_SIGNATURE_BYTES = 8
_PIXELS = {b"IDAT", b"fdAT"}


def walk(data: bytes, limits: PictureLimits) -> Parts:
    """The parts of a PNG or animated PNG.

    Raises:
        Unacceptable: there is no header, or there is too much of something.
    """
    parts, hidden_default = Parts(), False
    frame_control = False
    for kind, content, end in _chunks(data):
        frame_control = frame_control or kind == b"fcTL"
        # Such a picture is shown by viewers that do not know animations, and by no others.
        hidden_default = hidden_default or (kind == b"IDAT" and not frame_control)
        _note(parts, kind, content, limits)
        if kind == b"IEND":
            parts.end, parts.complete = end, True
    if not parts.width:
        raise Unacceptable("unreadable")
    parts.frames += frame_control and hidden_default
    return parts


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Kind, content and end offset of each chunk, up to the end chunk or the end of the file."""
    place = _SIGNATURE_BYTES
    for _ in range(MAX_PIECES):
        length = int.from_bytes(data[place : place + 4], "big")
        kind, end = data[place + 4 : place + 8], place + 12 + length
        if len(kind) < 4 or end > len(data):
            return
        yield kind, data[place + 8 : end - 4], end
        if kind == b"IEND":
            return
        place = end
    raise Unacceptable("unreadable")


def _note(parts: Parts, kind: bytes, content: bytes, limits: PictureLimits) -> None:
    if kind == b"IHDR" and len(content) == 13:
        parts.width = int.from_bytes(content[:4], "big")
        parts.height = int.from_bytes(content[4:8], "big")
    elif kind == b"acTL" and len(content) == 8:
        parts.frames = max(1, int.from_bytes(content[:4], "big"))
    elif kind == b"iCCP":
        _, _, packed = content.partition(b"\0")
        parts.add_profile(unpack(packed[1:], limits.max_profile_bytes), limits)
    elif kind not in _PIXELS:
        most = limits.max_metadata_bytes - parts.metadata_bytes
        parts.add_metadata(_unpacked(kind, content, most), limits)


def _unpacked(kind: bytes, content: bytes, most: int) -> bytes:
    """The content of a chunk, with its text unpacked; a keyword can carry a script as well."""
    keyword, _, rest = content.partition(b"\0")
    if kind == b"zTXt":
        packed = rest[1:]
    elif kind == b"iTXt" and rest[:1] == b"\1":
        language, translated, packed = [*rest[2:].split(b"\0", 2), b"", b""][:3]
        keyword += b" " + language + b" " + translated
    else:
        return content
    return keyword + b" " + unpack(packed, most)

"""Walks the chunks of a PNG file (W3C PNG, third edition)."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from inference.gate.decoder.containers.png_pixels import Header, pixels_end
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.parts import MAX_PIECES, Parts, Span, unpack

_SIGNATURE_BYTES = 8
# Rows are unpacked twice, once to find their end, and cannot be decoded smaller.
_TIMES_AS_COSTLY = 3
# Set in the first letter of a chunk's kind where readers may do without it.
_ANCILLARY = 0x20


@dataclass(frozen=True)
class _Chunk:
    """A chunk; its content lies between offsets of the file."""

    kind: bytes
    content: bytes
    start: int
    checksum: int

    @property
    def end(self) -> int:
        """Offset behind the content."""
        return self.start + len(self.content)

    def is_sound(self) -> bool:
        """Whether its checksum is right."""
        return zlib.crc32(self.content, zlib.crc32(self.kind)) == self.checksum

    def may_be_left_out(self) -> bool:
        """Whether it is one of those that browsers ignore if they are damaged."""
        return bool(self.kind[0] & _ANCILLARY)


def walk(data: bytes, limits: PictureLimits) -> Parts:
    """The parts of a PNG or animated PNG.

    Raises:
        Unacceptable: there is no header, a chunk that the picture needs is damaged, or there is too
            much of something.
    """
    walker = _Walker(Parts(), limits)
    for chunk in _chunks(data):
        walker.note(chunk)
    return walker.finish(data)


class _Walker:
    """Collects the parts while the chunks go by."""

    def __init__(self, parts: Parts, limits: PictureLimits) -> None:
        self._parts = parts
        self._limits = limits
        self._header: Header | None = None
        self._still: list[Span] = []
        self._frame_control = self._hidden_default = self._is_damaged = False
        self._end = _SIGNATURE_BYTES

    def note(self, chunk: _Chunk) -> None:
        """One chunk."""
        self._end = chunk.end + 4
        if not chunk.is_sound():
            self._is_damaged = self._is_damaged or not chunk.may_be_left_out()
            self._parts.left_out.append((chunk.start - 8, chunk.end + 4))
        self._frame_control = self._frame_control or chunk.kind == b"fcTL"
        if chunk.kind == b"IDAT":
            # Such a picture is shown by viewers that do not know animations, and by no others.
            self._hidden_default = self._hidden_default or not self._frame_control
            self._still.append((chunk.start, chunk.end))
        elif chunk.kind == b"fdAT":
            self._parts.pixels.append((chunk.start, chunk.end))
        elif chunk.kind == b"IEND":
            self._parts.end, self._parts.complete = chunk.end + 4, True
        else:
            self._note_words(chunk)

    def finish(self, data: bytes) -> Parts:
        """What all chunks are together.

        Raises:
            Unacceptable: a chunk that the pixels need is missing or damaged, or they are too many.
        """
        parts, limits = self._parts, self._limits
        if not parts.width or self._header is None:
            raise Unacceptable("unreadable")
        if parts.height:
            limits.check(parts.width, parts.height, len(data))
            # Deep and clear pixels take more bytes than come out of them.
            unpacked_bytes = self._header.unpacked_bytes() - parts.height
            limits.check_expansion(unpacked_bytes, len(data) // _TIMES_AS_COSTLY)
        if self._is_damaged:
            raise Unacceptable("unreadable")
        end = pixels_end(data, self._still, self._header)
        parts.pixels += [(start, min(stop, end)) for start, stop in self._still if start < end]
        parts.pixels.sort()
        parts.frames += self._frame_control and self._hidden_default
        if not parts.complete:
            parts.end = len(data)
            self._leave_out_broken_words(data)
        return parts

    def _leave_out_broken_words(self, data: bytes) -> None:
        """A file may break off in a chunk that no pixel needs: a decoder would miss its end."""
        kind = data[self._end + 4 : self._end + 8]
        if kind and kind[0] & _ANCILLARY:
            self._parts.left_out.append((self._end, len(data)))

    def _note_words(self, chunk: _Chunk) -> None:
        parts, limits = self._parts, self._limits
        if chunk.kind == b"IHDR" and len(chunk.content) == 13:
            self._header = Header.read(chunk.content)
            parts.width, parts.height = self._header.width, self._header.height
            return
        if chunk.kind == b"acTL" and len(chunk.content) == 8:
            parts.frames = max(1, int.from_bytes(chunk.content[:4]))
        elif chunk.kind == b"iCCP":
            _, _, stream = chunk.content.partition(b"\0")
            parts.add_profile(unpack(stream[1:], limits.max_profile_bytes), limits)
            return
        packed_text = _find_packed_text(chunk.kind, chunk.content)
        parts.count_metadata(len(chunk.content) - len(packed_text), limits)
        if packed_text:
            parts.add_unpacked(unpack(packed_text, parts.may_unpack(limits)), limits)


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Each chunk, up to the end chunk or the end of the file."""
    place = _SIGNATURE_BYTES
    for _ in range(MAX_PIECES):
        length = int.from_bytes(data[place : place + 4])
        kind, end = data[place + 4 : place + 8], place + 12 + length
        if len(kind) < 4 or end > len(data):
            return
        checksum = int.from_bytes(data[end - 4 : end])
        yield _Chunk(kind, data[place + 8 : end - 4], place + 8, checksum)
        if kind == b"IEND":
            return
        place = end
    raise Unacceptable("unreadable")


def _find_packed_text(kind: bytes, content: bytes) -> bytes:
    """What readers unpack of a chunk; the flag of the second kind counts unless it is zero."""
    _, _, rest = content.partition(b"\0")
    if kind == b"zTXt":
        return rest[1:]
    if kind == b"iTXt" and rest[:1] != b"\0":
        return rest[2:].split(b"\0", 2)[-1] if rest.count(b"\0", 2) >= 2 else b""
    return b""

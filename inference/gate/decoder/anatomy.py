"""The structure of a picture file: what is in it and where it ends, without decoding a pixel."""

from collections.abc import Callable
from dataclasses import dataclass

from inference.gate.decoder import jpeg, png, webp
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.parts import Parts
from inference.gate.media import MediaType

_WALKERS: dict[MediaType, Callable[[bytes, PictureLimits], Parts]] = {
    MediaType.JPEG: jpeg.walk,
    MediaType.PNG: png.walk,
    MediaType.WEBP: webp.walk,
}
# Where a film begins (ISO/IEC 14496-12): behind the length of its first box, of which zeros in
# front were taken for padding.
_FILM, _FILM_HEAD_BYTES = b"ftyp", 8
# How one maker of phones ends its files: a directory, its length, a mark.
_DIRECTORY, _MARK = b"SEFH", b"SEFT"


def dissect(data: bytes, media_type: MediaType, limits: PictureLimits) -> Parts | None:
    """The parts of a file; ``None`` for types that only the decoder knows.

    Raises:
        Unacceptable: a bound is broken, or the file is no such picture.
    """
    walker = _WALKERS.get(media_type)
    if walker is None:
        return None
    parts = walker(data, limits)
    if parts.frames > limits.max_frames:
        raise Unacceptable("too_many_frames")
    return parts


@dataclass(frozen=True)
class Tail:
    """What lies behind the last byte of a picture."""

    content: bytes

    @classmethod
    def of(cls, data: bytes, parts: Parts) -> "Tail":
        """The bytes behind the picture, padding left out."""
        return cls(data[parts.end :].strip(b"\0") if parts.complete else b"")

    def is_odd(self) -> bool:
        """Whether something is there that no camera puts there."""
        return bool(self.content) and not (self._is_film() or self._is_makers_trailer())

    def _is_film(self) -> bool:
        return _FILM in self.content[:_FILM_HEAD_BYTES]

    def _is_makers_trailer(self) -> bool:
        length = int.from_bytes(self.content[-8:-4], "little")
        directory = self.content[-8 - length :][: len(_DIRECTORY)]
        return self.content.endswith(_MARK) and length > 0 and directory == _DIRECTORY

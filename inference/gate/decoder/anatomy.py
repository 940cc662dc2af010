"""The structure of a picture file: what is in it and where it ends, without decoding a pixel."""

from collections.abc import Callable
from dataclasses import dataclass

from inference.gate.decoder import jpeg, png, webp
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.parts import Parts
from inference.gate.media import MediaType

# What cameras put behind a picture: a film of the moment, or the maker's own trailer.
_CAMERA_ENDINGS = (b"SEFT",)
_FILM = b"ftyp"

_WALKERS: dict[MediaType, Callable[[bytes, PictureLimits], Parts]] = {
    MediaType.JPEG: jpeg.walk,
    MediaType.PNG: png.walk,
    MediaType.WEBP: webp.walk,
}


def dissect(data: bytes, media_type: MediaType, limits: PictureLimits) -> Parts | None:
    """The parts of a file; ``None`` for types that only the decoder knows.

    Raises:
        Unacceptable: a bound is broken, or the file is no such picture.
    """
    walker = _WALKERS.get(media_type)
    if walker is None:
        return None
    parts = walker(data, limits)
    if sum(len(blob) for blob in parts.metadata) > limits.max_metadata_bytes:
        raise Unacceptable("metadata_too_large")
    if parts.profile_bytes > limits.max_profile_bytes:
        raise Unacceptable("profile_too_large")
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
        from_camera = self.content.endswith(_CAMERA_ENDINGS) or self.content[4:8] == _FILM
        return bool(self.content) and not from_camera

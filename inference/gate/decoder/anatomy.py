"""The structure of a picture file: what is in it and where it ends, without decoding a pixel."""

from collections.abc import Callable

from inference.gate.decoder.containers import boxes, jpeg, png, webp
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.parts import Parts
from inference.gate.media import MediaType

_WALKERS: dict[MediaType, Callable[[bytes, PictureLimits], Parts]] = {
    MediaType.JPEG: jpeg.walk,
    MediaType.PNG: png.walk,
    MediaType.WEBP: webp.walk,
    MediaType.AVIF: boxes.walk,
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
    if parts.frames > limits.max_frames:
        raise Unacceptable("too_many_frames")
    return parts

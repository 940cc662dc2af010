"""A file, taken apart and decoded: the whole work that is done inside the sandbox."""

from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image as Pillow

from inference.gate.decoder.anatomy import dissect
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.missing_end import decode_without_end
from inference.gate.decoder.parts import Parts
from inference.gate.decoder.pixels import Pixels, decode
from inference.gate.decoder.suspicions import begins_packed, has_script, is_polyglot
from inference.gate.decoder.tail import Tail
from inference.gate.media import MediaType

Signs = dict[str, Mapping[str, float]]


@dataclass(frozen=True, eq=False)
class Examined:
    """A decoded picture in mode ``RGB``, and what was odd about its file.

    Attributes:
        file_size: width and height in the file, in pixels.
        orientation: how it lay there, as EXIF numbers it: 1 if it was upright.
        signs: codes of gate rules, each with the numbers that speak for it.
    """

    picture: Pillow.Image
    file_size: tuple[int, int]
    orientation: int
    signs: Mapping[str, Mapping[str, float]]


def examine(data: bytes, media_type: MediaType, limits: PictureLimits) -> Examined:
    """Take a file apart, judge its header, then decode it.

    What the file says as a whole is left to :func:`marks_in`, which needs no sandbox and can run
    beside this.

    Raises:
        Unacceptable: why there is no picture.
        MemoryError: it takes more memory than the process may have.
    """
    parts = dissect(data, media_type, limits)
    signs: Signs = {}
    if parts is not None:
        if parts.width and parts.height:
            limits.check(parts.width, parts.height, len(data))
        signs |= _find_signs(data, parts)
    pixels = _decode_parts(data, media_type, limits, parts)
    if pixels.profile_unusable:
        signs["profile_unusable"] = {}
    if pixels.exif_unusable:
        signs["exif_unusable"] = {}
    if pixels.times_smaller > 1:
        signs["made_smaller"] = {"times": float(pixels.times_smaller)}
    return Examined(pixels.picture, pixels.file_size, pixels.orientation, signs)


def _decode_parts(
    data: bytes, media_type: MediaType, limits: PictureLimits, parts: Parts | None
) -> Pixels:
    if parts is None:
        return decode(data, media_type, limits)
    if media_type is MediaType.JPEG and not parts.complete:
        if parts.lacks_passes:
            raise Unacceptable("truncated")
        return decode_without_end(data[: parts.first_end], limits)
    return decode(parts.without_damage(data), media_type, limits)


def _find_signs(data: bytes, parts: Parts) -> Signs:
    tail = Tail.of(data, parts)
    parts.pixels = sorted([*parts.pixels, *tail.bulk])
    texts, signs = list(parts.texts(data)), Signs()
    if begins_packed(tail.rest) or is_polyglot(b"", texts):
        signs["polyglot"] = {}
    if has_script(b"", texts):
        signs["script_in_metadata"] = {}
    if tail.rest:
        code = "trailing_note" if tail.is_small() else "trailing_data"
        signs[code] = {"bytes": float(len(tail.rest))}
    if parts.frames > 1:
        signs["several_frames"] = {"frames": float(parts.frames)}
    if not parts.complete:
        signs["end_missing"] = {}
    if parts.left_out:
        signs["checksum_differs"] = {"pieces": float(len(parts.left_out))}
    return signs

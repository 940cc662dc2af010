"""A file, taken apart and decoded: the whole work that is done inside the sandbox."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from PIL import Image as Pillow

from inference.gate.decoder.anatomy import Tail, dissect
from inference.gate.decoder.limits import PictureLimits
from inference.gate.decoder.parts import Parts
from inference.gate.decoder.pixels import decode
from inference.gate.decoder.suspicions import has_script, is_polyglot
from inference.gate.media import MediaType

Signs = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, eq=False)
class Examined:
    """A decoded picture in mode ``RGB``, and what was odd about its file.

    Attributes:
        signs: codes of gate rules, each with the numbers that speak for it.
    """

    picture: Pillow.Image
    signs: Signs = field(default_factory=dict)


def examine(data: bytes, media_type: MediaType, limits: PictureLimits) -> Examined:
    """Take a file apart, judge its header, then decode it.

    What the file says as a whole is left to :func:`marks_in`, which needs no sandbox and can run
    beside this.

    Raises:
        Unacceptable: why there is no picture.
        MemoryError: it takes more memory than the process may have.
    """
    parts = dissect(data, media_type, limits)
    signs: dict[str, Mapping[str, float]] = {}
    if parts is not None:
        if parts.width and parts.height:
            limits.check(parts.width, parts.height, len(data))
        signs |= _signs(data, parts)
    picture, profile_unusable = decode(data, media_type, limits)
    if profile_unusable:
        signs["profile_unusable"] = {}
    return Examined(picture, signs)


def _signs(data: bytes, parts: Parts) -> Signs:
    tail = Tail.of(data, parts)
    found: dict[str, Mapping[str, float]] = {}
    pieces = (*parts.metadata, parts.profile)
    if is_polyglot(b"", pieces, tail.content if tail.is_odd() else b""):
        found["polyglot"] = {}
    if has_script(b"", pieces):
        found["script_in_metadata"] = {}
    if tail.is_odd():
        found["trailing_data"] = {"bytes": float(len(tail.content))}
    if parts.frames > 1:
        found["several_frames"] = {"frames": float(parts.frames)}
    if not parts.complete:
        found["end_missing"] = {}
    return found

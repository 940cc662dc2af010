"""Finds the door that a request is at."""

from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from inference.upstream.presets.paths import fits_path
from inference.upstream.presets.preset import Door, Preset

_OVERRIDES = frozenset((b"x-http-method-override", b"x-http-method", b"x-method-override"))


def find_door(preset: Preset, method: str, raw_path: bytes) -> Door | None:
    """The first door whose method and path fit, or ``None``.

    Args:
        raw_path: as it was sent, without the query: never decoded, never put straight.
    """
    return next((door for door in preset.doors if _fits_door(door, method, raw_path)), None)


def is_disguised(preset: Preset, method: str, raw_path: bytes) -> bool:
    """Whether a path at no door is another spelling of one behind which parses are given out."""
    door = find_door(preset, method, unquote_to_bytes(raw_path))
    return door is not None and door.part == "events"


def is_overridden(method: str, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a header tells some servers to take a request for one with another method.

    >>> is_overridden("GET", [(b"X_HTTP_Method_Override", b"POST")])
    True
    """
    # WSGI knows no difference between a hyphen and an underscore.
    named = (value for name, value in headers if name.lower().replace(b"_", b"-") in _OVERRIDES)
    return any(value.strip().upper() != method.encode("ascii") for value in named)


def _fits_door(door: Door, method: str, raw_path: bytes) -> bool:
    return method in door.methods and any(fits_path(path, raw_path) for path in door.paths)

"""Finds the door that a request is at."""

from urllib.parse import unquote_to_bytes

from inference.upstream.presets.paths import fits_path
from inference.upstream.presets.preset import Door, Preset


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


def _fits_door(door: Door, method: str, raw_path: bytes) -> bool:
    return method in door.methods and any(fits_path(path, raw_path) for path in door.paths)

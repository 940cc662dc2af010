"""Finds the door that a request is at."""

from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from inference.upstream.presets.paths import fits_path
from inference.upstream.presets.preset import Door, Preset

_METHODS = frozenset((b"x-http-method-override", b"x-http-method", b"x-method-override"))
_PATHS = frozenset((b"x-original-url", b"x-rewrite-url"))


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


def is_overridden(method: str, raw_path: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a header tells some servers to take a request for one of another method or path.

    >>> is_overridden("GET", b"/", [(b"X_HTTP_Method_Override", b"POST")])
    True
    >>> is_overridden("POST", b"/log", [(b"x-original-url", b"/parse?a")])
    True
    """
    for name, value in headers:
        # WSGI knows no difference between a hyphen and an underscore.
        plain = name.lower().replace(b"_", b"-")
        if plain in _METHODS and value.strip().upper() != method.encode("ascii"):
            return True
        if plain in _PATHS and _find_path(value) != raw_path:
            return True
    return False


def _find_path(url: bytes) -> bytes:
    """The path of a URL, which some proxies write whole and others from its path on.

    >>> _find_path(b"/a?b"), _find_path(b"https://c.example/a")
    (b'/a', b'/a')
    """
    _, scheme_end, rest = url.strip().partition(b"://")
    whole = b"/" + rest.partition(b"/")[2] if scheme_end else url.strip()
    return whole.partition(b"?")[0]


def _fits_door(door: Door, method: str, raw_path: bytes) -> bool:
    return method in door.methods and any(fits_path(path, raw_path) for path in door.paths)

"""Origins: where a page came from, as a browser says it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Origin:
    """A whole origin; pages of one with another scheme or port are another site's."""

    scheme: str
    host: str
    port: int


def read_origin(text: str) -> Origin | None:
    """An origin of the web; ``None`` for files, extensions and whatever else is none.

    >>> read_origin("https://Maskwatch.example")
    Origin(scheme='https', host='maskwatch.example', port=443)
    >>> read_origin("chrome-extension://127.0.0.1:8501"), read_origin("null")
    (None, None)
    """
    try:
        parts = urlsplit(text)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    is_whole = text.lower() == f"{parts.scheme}://{parts.netloc}".lower()
    if not is_whole or "@" in parts.netloc or not parts.hostname or port is None:
        return None
    return Origin(parts.scheme, parts.hostname, port) if parts.scheme in _PORTS else None

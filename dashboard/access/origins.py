"""Origins: where a page came from, as a browser says it."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
# A name or an address, and a port: no user, no path, no second one behind a comma.
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[1-9][0-9]{0,4})?")


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
    >>> read_origin("http://127.0.0.1:0") is None
    True
    >>> read_origin("chrome-extension://127.0.0.1:8501"), read_origin("null")
    (None, None)
    """
    try:
        parts = urlsplit(text)
        port = _PORTS.get(parts.scheme) if parts.port is None else parts.port
    except ValueError:
        return None
    is_whole = text.lower() == f"{parts.scheme}://{parts.netloc}".lower()
    if not is_whole or not port or parts.scheme not in _PORTS:
        return None
    host = read_host_name(parts.netloc)
    return Origin(parts.scheme, host, port) if host else None


def read_host_name(host: str) -> str:
    """The name in ``Host``, in small letters and without brackets; ``""`` if there is more in it.

    >>> read_host_name("[::1]:8501"), read_host_name("evil@127.0.0.1:8501")
    ('::1', '')
    """
    parted = _HOST.fullmatch(host)
    return (parted[1] or parted[2]).lower() if parted else ""

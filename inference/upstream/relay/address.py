"""Where an upstream listens."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from detectors.errors import MaskwatchError

_PORTS = {"http": 80, "https": 443}


class AddressUnusable(MaskwatchError):
    """A URL does not say where an upstream listens; the sentence does not repeat the URL."""


@dataclass(frozen=True)
class UpstreamAddress:
    """Scheme, host and port of an upstream.

    Attributes:
        host: name or address, IPv6 without brackets.
    """

    scheme: Literal["http", "https"]
    host: str
    port: int

    @property
    def is_encrypted(self) -> bool:
        """Whether connections use TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host and port as a ``Host`` header has them.

        >>> UpstreamAddress("http", "::1", 5000).authority
        '[::1]:5000'
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address as people write it.

        >>> UpstreamAddress("http", "::1", 5000).url
        'http://[::1]:5000'
        """
        return f"{self.scheme}://{self.authority}"


def read_address(url: str) -> UpstreamAddress:
    """The address in a URL, such as ``http://127.0.0.1:5000``.

    Raises:
        AddressUnusable: the URL holds more than scheme, host and port, or less.

    >>> read_address("https://parser.example/").authority
    'parser.example'
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise AddressUnusable("The upstream's URL has no host and port that can be read.") from None
    _check_rest(url, parts)
    if parts.scheme == "http":
        return UpstreamAddress("http", _check_host(host), _check_port(port, 80))
    if parts.scheme == "https":
        return UpstreamAddress("https", _check_host(host), _check_port(port, 443))
    raise AddressUnusable("The upstream's URL must begin with http:// or https://.")


def _check_rest(url: str, parts: SplitResult) -> None:
    if "@" in parts.netloc:
        raise AddressUnusable(
            "The upstream's URL must hold no user and no password: they would be shown wherever it "
            "is. Let the clients send them."
        )
    if not url.isascii() or not url.isprintable() or " " in url:
        raise AddressUnusable("The upstream's URL must hold printable ASCII characters alone.")
    if parts.path not in ("", "/") or "?" in url or "#" in url:
        raise AddressUnusable(
            "The upstream's URL must end after host and port: paths are passed on as clients send "
            "them."
        )


def _check_host(host: str | None) -> str:
    if not host:
        raise AddressUnusable("The upstream's URL names no host.")
    return host


def _check_port(port: int | None, default: int) -> int:
    if port == 0:
        raise AddressUnusable("The upstream's port must not be 0.")
    return default if port is None else port

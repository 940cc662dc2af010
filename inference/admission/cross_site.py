"""Uploads that a page of another site makes its visitor send (Fetch Metadata, RFC 6454)."""

from collections.abc import Collection
from urllib.parse import urlsplit


def is_cross_site(
    fetch_site: str | None,
    origin: str | None,
    hosts: Collection[str],
    allowed_origins: Collection[str],
) -> bool:
    """Whether a browser says that a page of another site asks.

    Args:
        fetch_site: ``Sec-Fetch-Site``; all current browsers send it, and no page can set it.
        origin: ``Origin``, which counts where the other is missing.
        hosts: the names that the service was called by, with or without a port.
        allowed_origins: pages of other sites that may send pictures.

    >>> is_cross_site("cross-site", "https://example.org", ("masks.example",), ())
    True
    >>> is_cross_site(None, "https://masks.example", ("masks.example:443",), ())
    False
    """
    if origin is not None and origin.lower() in allowed_origins:
        return False
    if fetch_site is not None:
        return fetch_site.strip().lower() == "cross-site"
    if origin is None:
        return False
    name = _read_host_name(origin)
    return name is None or name not in {_read_host_name(f"//{host}") for host in hosts}


def _read_host_name(url: str) -> str | None:
    """``None`` for an address without a host, such as the origin ``null``."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None

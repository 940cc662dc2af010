"""Uploads that a page of another site makes its visitor send (Fetch Metadata, RFC 6454)."""

from collections.abc import Collection
from urllib.parse import urlsplit

_CROSS = "cross-site"
# What is none of these was written by no browser, and the origin counts.
_SITES = {_CROSS, "same-site", "same-origin", "none"}
# A proxy may have taken the TLS off; apps and extensions are other sites whatever they call a host.
_PAGES = {"http", "https"}


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
    site = (fetch_site or "").strip().lower()
    if site in _SITES:
        return site == _CROSS
    if origin is None:
        return False
    name = _read_host_name(origin, _PAGES)
    # A chain of proxies may have named one host after the other.
    own = {_read_host_name(f"//{each.strip()}") for host in hosts for each in host.split(",")}
    return name is None or name not in own


def _read_host_name(url: str, schemes: Collection[str] = ("",)) -> str | None:
    """``None`` for an address without a host, such as the origin ``null``, or of another scheme."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    is_plain = parts.scheme in schemes and "@" not in parts.netloc and "," not in parts.netloc
    return parts.hostname if is_plain else None

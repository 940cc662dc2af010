"""Addresses in the headers of proxies, in every form that proxies write."""

import re
from collections.abc import Sequence

from store.decisions.networks import Address, read_address

# Of an IPv6 address only in brackets: without them a port could as well be its last group.
_WITH_PORT = re.compile(r"\[([^\[\]]+)\](?::\w+)?|([0-9.]+):\w+")


def read_hop(entry: str) -> Address | None:
    """The address that a proxy wrote, with or without quotes, brackets and a port.

    >>> read_hop("203.0.113.7:50112"), read_hop('"[2001:db8::7]:443"')
    (IPv4Address('203.0.113.7'), IPv6Address('2001:db8::7'))
    >>> read_hop("unknown") is None
    True
    """
    text = entry.strip().strip('"').strip()
    parted = _WITH_PORT.fullmatch(text)
    return read_address(text if parted is None else parted[1] or parted[2])


def split_forwarded_for(values: Sequence[str]) -> list[str]:
    """The entries of all ``X-Forwarded-For`` lines of a request, the last proxy's last.

    Some proxies append a line of their own instead of extending the client's.
    """
    entries = (entry.strip() for value in values for entry in value.split(","))
    return [entry for entry in entries if entry]


def split_forwarded(values: Sequence[str]) -> list[str]:
    """Whom each element of all ``Forwarded`` lines (RFC 7239) is for; ``""`` if it does not say.

    Commas part elements, quoted or not: a quote that a client opens and never closes shall not
    swallow the element that the proxy appends.

    >>> split_forwarded(['for=192.0.2.1;proto=https, For="[2001:db8::7]:443";by=203.0.113.1'])
    ['192.0.2.1', '"[2001:db8::7]:443"']
    """
    return [_read_for(element) for element in split_forwarded_for(values)]


def _read_for(element: str) -> str:
    pairs = (pair.partition("=") for pair in element.split(";"))
    return next((value.strip() for name, _, value in pairs if name.strip().lower() == "for"), "")

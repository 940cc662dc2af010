"""Addresses in the headers of proxies, in every form that proxies write."""

import re
from collections.abc import Sequence

from store.requests.client_names import Address, read_address

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

    Some proxies append a line of their own instead of extending the client's. An empty entry beside
    others stays, and names nobody: without it the one before would be taken for the proxy's, which
    a client may have written.
    """
    entries = [entry.strip() for value in values for entry in value.split(",")]
    return entries if any(entries) else []


def split_forwarded(values: Sequence[str]) -> list[str]:
    """Whom each element of all ``Forwarded`` lines (RFC 7239) is for; ``""`` if it does not say.

    >>> split_forwarded(['for=192.0.2.1;proto=https, For="[2001:db8::7]:443";by=203.0.113.1'])
    ['192.0.2.1', '"[2001:db8::7]:443"']
    """
    elements = [element for value in values for element in _split_unquoted(value, ",")]
    return [_read_for(element) for element in elements] if any(map(str.strip, elements)) else []


def _read_for(element: str) -> str:
    """What the element is for; one that says it twice says nothing: who wrote which is open."""
    pairs = (pair.partition("=") for pair in _split_unquoted(element, ";"))
    named = [value.strip() for name, _, value in pairs if name.strip().lower() == "for"]
    return named[0] if len(named) == 1 else ""


def _split_unquoted(text: str, mark: str) -> list[str]:
    """What stands between marks outside quotes, read from the end.

    The end is what the proxy appended, and is well formed. So neither a quote that a client never
    closed swallows it, nor does a mark that stands inside quotes, as in a name of a host that the
    proxy passes on, part it.
    """
    if '"' not in text:
        return text.split(mark)
    parts, end, is_quoted = [], len(text), False
    for place in range(len(text) - 1, -1, -1):
        if text[place] == '"' and not (is_quoted and _is_escaped(text, place)):
            is_quoted = not is_quoted
        elif text[place] == mark and not is_quoted:
            parts.append(text[place + 1 : end])
            end = place
    return [text[:end], *reversed(parts)]


def _is_escaped(text: str, place: int) -> bool:
    first = place
    while first > 0 and text[first - 1] == "\\":
        first -= 1
    return (place - first) % 2 == 1

"""Senders that no policy blocks: trusted proxies, and those whom a proxy did not name."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from store.configuration.network_groups import Network

_UNKNOWN_PREFIX = "unknown@"


def name_unknown(reporter: IPv4Address | IPv6Address | str) -> str:
    """The name of all senders whom a trusted proxy, or an observer, named in no readable form."""
    return f"{_UNKNOWN_PREFIX}{reporter}"


def is_unknown(client: str) -> bool:
    """Whether a client's name stands for senders that nobody can tell apart."""
    return client.startswith(_UNKNOWN_PREFIX)


def is_trusted(address: IPv4Address | IPv6Address, trusted: Sequence[Network]) -> bool:
    """Whether an address is that of a trusted proxy."""
    return any(address in network for network in trusted)


def is_protected(client: str, trusted: Sequence[Network]) -> bool:
    """Whether a block of a client would fall on people who did nothing: no policy may make one.

    >>> from ipaddress import ip_network
    >>> proxies = (ip_network("10.0.0.0/8"),)
    >>> is_protected("ip:10.0.0.1", proxies), is_protected("unknown@192.0.2.1", proxies)
    (True, True)
    >>> is_protected("ip:192.0.2.7", proxies)
    False
    """
    return is_unknown(client) or _is_proxy(client, trusted)


def _is_proxy(client: str, trusted: Sequence[Network]) -> bool:
    kind, _, name = client.partition(":")
    try:
        return kind == "ip" and is_trusted(ip_address(name), trusted)
    except ValueError:
        return False

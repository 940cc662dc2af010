"""Whom no policy blocks: trusted proxies, those whom one did not name, and this machine."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network

from store.configuration.network_groups import Network
from store.requests.client_names import addresses_of

_UNKNOWN_PREFIX = "unknown@"
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1"))


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
    own = addresses_of(client)
    return is_unknown(client) or (own is not None and is_network_protected(own, trusted))


def is_network_protected(network: Network, trusted: Sequence[Network]) -> bool:
    """Whether a block of a network would fall on a trusted proxy, or on this machine itself.

    >>> from ipaddress import ip_network
    >>> proxies = (ip_network("10.1.2.3/32"),)
    >>> [is_network_protected(ip_network(n), proxies) for n in ("10.1.2.0/24", "192.0.2.0/24")]
    [True, False]
    """
    return any(
        network.version == each.version and network.overlaps(each)
        for each in (*trusted, *_LOOPBACK)
    )

"""Whose requests count as those of one sender: whoever has an address has its neighbours too."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

_BITS_V4, _BITS_V6 = 24, 48
_MAX_KEPT = 10_000


@lru_cache(_MAX_KEPT)
def network_of_client(client: str) -> str:
    """The network that a client belongs to; a key, or a sender without an address, is its own.

    >>> network_of_client("ip:203.0.113.7")
    '203.0.113.0/24'
    >>> network_of_client("key:shop")
    'key:shop'
    """
    kind, _, name = client.partition(":")
    if kind != "ip":
        return client
    try:
        address = ip_address(name)
    except ValueError:
        return client
    bits = _BITS_V6 if isinstance(address, IPv6Address) else _BITS_V4
    return str(ip_network((address, bits), strict=False))

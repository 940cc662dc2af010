"""What the name of a client says: its address, and under which name it counts."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from store.configuration.network_groups import Network

Address = IPv4Address | IPv6Address
ADDRESS_PREFIX = "ip:"
"""What the name of a client with an address begins with."""

# Whoever has one address of such a network has all of them.
_CLIENT_BITS_V6 = 64


def read_address(text: str) -> Address | None:
    """An address as such; one of IPv4 in the clothes of IPv6 is the same client's."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def address_of(client: str) -> Address | None:
    """The address in a client's name; of an IPv6 network its first; ``None`` if it has none.

    >>> address_of("ip:203.0.113.7"), address_of("ip:2001:db8::/64"), address_of("key:acme")
    (IPv4Address('203.0.113.7'), IPv6Address('2001:db8::'), None)
    """
    if not client.startswith(ADDRESS_PREFIX):
        return None
    return read_address(client.removeprefix(ADDRESS_PREFIX).partition("/")[0])


def network_of(client: str) -> str:
    """The name under which a client is limited and decided on: its own, or that of its IPv6 /64.

    Whoever has one address of such a network has all 2⁶⁴ of them. Records keep the exact address.

    >>> network_of("ip:2001:db8::7")
    'ip:2001:db8::/64'
    >>> network_of("ip:203.0.113.7")
    'ip:203.0.113.7'
    """
    # Most clients have an address of IPv4 or a key: they are told by a look at the text.
    if client.count(":") < 2:
        return client
    address = address_of(client)
    if not isinstance(address, IPv6Address):
        return client
    return f"{ADDRESS_PREFIX}{surround(address, _CLIENT_BITS_V6)}"


def addresses_of(client: str) -> Network | None:
    """All addresses that a client has: one of IPv4, 2⁶⁴ of IPv6; ``None`` without an address."""
    address = address_of(client)
    if address is None:
        return None
    return surround(address, 32 if address.version == 4 else _CLIENT_BITS_V6)


def surround(address: Address, length: int) -> Network:
    """The network with a prefix of this length that an address lies in."""
    return ip_network((address, length), strict=False)

"""Networks: which addresses a decision is about, and under which name it knows a client."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, collapse_addresses, ip_address, ip_network

from store.configuration.network_groups import Network, as_ipv4

Address = IPv4Address | IPv6Address
WIDEST = {4: 24, 6: 48}
"""The shortest prefix that a policy gives a network, by version of IP."""
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


def read_network(text: str) -> Network | None:
    """A network as decisions write it; ``None`` if the text is none.

    >>> read_network("::ffff:203.0.113.0/120")
    IPv4Network('203.0.113.0/24')
    """
    try:
        return as_ipv4(ip_network(text))
    except ValueError:
        return None


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


def name_prefixes(client: str) -> tuple[str, ...]:
    """Every network that a client lies in, as decisions write them, the widest first."""
    own = addresses_of(client)
    if own is None:
        return ()
    return tuple(str(own.supernet(new_prefix=length)) for length in range(own.prefixlen + 1))


def lies_within(inner: Network, outer: Network) -> bool:
    """Whether one network is a part of another, or the same.

    >>> lies_within(ip_network("203.0.113.7"), ip_network("203.0.113.0/24"))
    True
    """
    shift = inner.max_prefixlen - outer.prefixlen
    return (
        inner.version == outer.version
        and inner.prefixlen >= outer.prefixlen
        and int(inner.network_address) >> shift == int(outer.network_address) >> shift
    )


def narrowest_around(networks: Iterable[Network]) -> Network:
    """The longest prefix that all of some networks of one version have.

    >>> str(narrowest_around([ip_network("203.0.113.4"), ip_network("203.0.113.7")]))
    '203.0.113.4/30'
    """
    all_of_them = list(networks)
    around = all_of_them[0]
    while not all(lies_within(each, around) for each in all_of_them):
        around = around.supernet()
    return around


def without(network: Network, parts: Iterable[Network]) -> list[Network]:
    """What is left of a network without some parts, in as few networks as that takes."""
    left = [network]
    for part in parts:
        rest: list[Network] = []
        for each in left:
            if lies_within(each, part):
                continue
            if lies_within(part, each):
                rest.extend(each.address_exclude(part))  # type: ignore[arg-type]
            else:
                rest.append(each)
        left = rest
    return sorted(collapse_addresses(left))  # type: ignore[type-var]

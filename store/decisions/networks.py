"""Networks: which addresses a decision is about."""

from collections.abc import Iterable
from ipaddress import collapse_addresses, ip_network

from store.configuration.network_groups import Network, as_ipv4
from store.requests.client_names import addresses_of

WIDEST = {4: 24, 6: 48}
"""The shortest prefix that a policy gives a network, by version of IP."""


def read_network(text: str) -> Network | None:
    """A network as decisions write it; ``None`` if the text is none.

    >>> read_network("::ffff:203.0.113.0/120")
    IPv4Network('203.0.113.0/24')
    """
    try:
        return as_ipv4(ip_network(text))
    except ValueError:
        return None


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

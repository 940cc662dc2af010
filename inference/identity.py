"""Who a request comes from."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def client_identity(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The client's name, ``ip:ADDRESS``.

    ``X-Forwarded-For`` is read from the right, and only as long as the address that added an entry
    is a trusted proxy: entries that a client wrote itself are never reached.

    >>> client_identity("198.51.100.9", "203.0.113.7", ())
    'ip:198.51.100.9'
    """
    current = _address(peer)
    if current is None:
        return f"ip:{peer}"
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    while hops and _is_trusted(current, trusted):
        claimed = _address(hops.pop())
        if claimed is None:
            break
        current = claimed
    return f"ip:{current}"


def network_of(client: str) -> str:
    """The name under which a client's limits are counted: its own, or that of its IPv6 /64.

    Whoever has one address of such a network has all 2⁶⁴ of them. Records and decisions keep the
    exact address.

    >>> network_of("ip:2001:db8::7")
    'ip:2001:db8::/64'
    >>> network_of("ip:203.0.113.7")
    'ip:203.0.113.7'
    """
    kind, _, name = client.partition(":")
    address = _address(name) if kind == "ip" and ":" in name else None
    if not isinstance(address, IPv6Address):
        return client
    return f"ip:{IPv6Network((int(address) >> 64 << 64, 64))}"


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)

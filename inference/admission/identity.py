"""Who a request comes from."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from inference.refusals import KEY_REQUIRED, UNKNOWN_KEY, Refusal

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Sender:
    """Who sends a request.

    Attributes:
        client: the name for records and decisions: ``key:NAME`` with an active key, else the
            address.
        address: ``ip:ADDRESS``, key or not; a block of it holds for both.
        refusal: what is wrong with the request's key, if anything is.
    """

    client: str
    address: str
    refusal: Refusal | None = None


def identify(
    address: str, keys: Set[str], client_of: Callable[[str], str | None], *, is_required: bool
) -> Sender:
    """The sender at an address who presents these keys.

    Args:
        keys: all that the request presents; more than one is as wrong as an unknown one.
        client_of: the client whose key this is, ``None`` for nobody's.
        is_required: whether a request without a key is refused.
    """
    if not keys:
        return Sender(address, address, KEY_REQUIRED if is_required else None)
    client = client_of(next(iter(keys))) if len(keys) == 1 else None
    if client is None:
        return Sender(address, address, UNKNOWN_KEY)
    return Sender(client, address)


def presented_keys(authorization: Sequence[str], x_api_key: Sequence[str]) -> Set[str]:
    """The different keys in the values of ``Authorization`` and ``X-API-Key``.

    Other schemes than ``Bearer`` are meant for somebody else, such as a proxy on the way.

    >>> sorted(presented_keys(["bearer mwk_a", "Basic dTpw"], ["mwk_a", "mwk_b"]))
    ['mwk_a', 'mwk_b']
    """
    pairs = [value.strip().partition(" ") for value in authorization]
    bearer = [token for scheme, _, token in pairs if scheme.lower() == "bearer"]
    return {key.strip() for key in (*bearer, *x_api_key)}


def address_name(peer: str, forwarded_for: str, proxies: Sequence[Network]) -> str:
    """The name of an address, ``ip:ADDRESS``.

    ``X-Forwarded-For`` is read from the right, and only as long as the address that added an entry
    is a trusted proxy: entries that a client wrote itself are never reached.

    >>> address_name("198.51.100.9", "203.0.113.7", ())
    'ip:198.51.100.9'
    """
    current = _address(peer)
    if current is None:
        return f"ip:{peer}"
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    while hops and _is_trusted(current, proxies):
        entry = _address(hops.pop())
        if entry is None:
            break
        current = entry
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
    ipv4 = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return ipv4 or address


def _is_trusted(address: Address, proxies: Sequence[Network]) -> bool:
    return any(address in network for network in proxies)

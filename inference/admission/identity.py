"""Who a request comes from."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from inference.admission.forwarded import read_hop
from inference.refusals import KEY_REQUIRED, UNKNOWN_KEY, WRONG_SCOPE, Refusal
from store.configuration.network_groups import Network
from store.decisions.access_list import ActiveKey
from store.decisions.protected import is_trusted, name_unknown
from store.people.key_scopes import KeyScope
from store.requests.client_names import Address, read_address


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
    address: str,
    keys: Set[str],
    find_key: Callable[[str], ActiveKey | None],
    scope: KeyScope,
    *,
    is_required: bool,
) -> Sender:
    """The sender at an address who presents these keys.

    Args:
        keys: all that the request presents; more than one is as wrong as an unknown one.
        find_key: the active key that this is, ``None`` for nobody's.
        scope: what the key has to be good for.
        is_required: whether a request without a key is refused.
    """
    if not keys:
        return Sender(address, address, KEY_REQUIRED if is_required else None)
    key = find_key(next(iter(keys))) if len(keys) == 1 else None
    if key is None:
        return Sender(address, address, UNKNOWN_KEY)
    return Sender(key.client, address, None if scope in key.scopes else WRONG_SCOPE)


def presented_keys(authorization: Sequence[str], x_api_key: Sequence[str]) -> Set[str]:
    """The different keys in the values of ``Authorization`` and ``X-API-Key``.

    Other schemes than ``Bearer`` are meant for somebody else, such as a proxy on the way.

    >>> sorted(presented_keys(["bearer mwk_a", "Basic dTpw"], ["mwk_a", "mwk_b"]))
    ['mwk_a', 'mwk_b']
    """
    pairs = [value.strip().partition(" ") for value in authorization]
    bearer = [token for scheme, _, token in pairs if scheme.lower() == "bearer"]
    return {key.strip() for key in (*bearer, *x_api_key)}


def name_address(peer: str, hops: Sequence[str], trusted: Sequence[Network]) -> str:
    """The name of the address that a request comes from: ``ip:ADDRESS``, or ``unknown@PROXY``.

    Hops are read from the right, and only as long as the address that added an entry is a trusted
    proxy: entries that a client wrote itself are never reached. An entry of a trusted proxy that
    cannot be read leaves the sender unknown: taken for the proxy, it would answer for everybody.

    >>> name_address("198.51.100.9", ["203.0.113.7"], ())
    'ip:198.51.100.9'
    """
    current: Address | None = read_address(peer)
    if current is None:
        return f"ip:{peer}"
    remaining = list(hops)
    while remaining and is_trusted(current, trusted):
        proxy, current = current, read_hop(remaining.pop())
        if current is None:
            return name_unknown(proxy)
    return f"ip:{current}"

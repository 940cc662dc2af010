"""Decisions that people make: what they typed, checked and brought into one form."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_network

from store.audit.reasons import read_reason
from store.configuration.network_groups import Network
from store.decisions.decisions import BY_ANALYST, DecisionError, NewDecision
from store.decisions.networks import read_network
from store.decisions.protected import is_network_protected, is_protected, is_unknown
from store.decisions.scopes import Kind, Scope
from store.decisions.similar_pictures import MAX_RADIUS, SimilarPicture
from store.people.api_keys import CLIENT_PREFIX, is_key_name
from store.requests.client_names import network_of, read_address

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CLIENT = re.compile(r"[a-z]{2,8}:[!-~]{1,70}")
_SIMILAR = re.compile(r"([0-9a-f]{64})(?:/([0-9]{1,4}))?")
DEFAULT_RADIUS = 10
# Shorter prefixes are no network of anybody, but a good part of the internet.
_MIN_LENGTH = {4: 8, 6: 16}


def decision_by_hand(
    *,
    kind: Kind,
    scope: Scope,
    value: str,
    minutes: int,
    reason: str,
    who: str,
    simulated: bool,
    now: datetime,
) -> NewDecision:
    """The decision that a person asked for.

    Raises:
        DecisionError: the value is not of the scope, or an allow is simulated.
        ReasonError: no reason was given, or none that can be kept.
    """
    if kind is Kind.ALLOW and simulated:
        raise DecisionError("An allow cannot be simulated: it ends blocks as soon as it is made.")
    return NewDecision(
        kind=kind,
        scope=scope,
        value=read_value(scope, value),
        scenario="by_hand",
        origin=BY_ANALYST,
        reason=read_reason(reason),
        created_by=who,
        until=now + timedelta(minutes=minutes),
        simulated=simulated,
    )


def warn_of_block(decision: NewDecision, trusted: Sequence[Network]) -> str | None:
    """What a person should know before a block is saved; ``None`` if there is nothing to say."""
    if decision.kind is not Kind.BLOCK or decision.simulated:
        return None
    value = decision.value
    if decision.scope is Scope.CLIENT and is_protected(value, trusted):
        what = f"{value} is one of your trusted proxies, or this machine itself"
    elif decision.scope is Scope.NETWORK and is_network_protected(ip_network(value), trusted):
        what = f"{value} has one of your trusted proxies in it, or this machine itself"
    else:
        return None
    return (
        f"{what}: a block of it shuts out everybody behind it whom it does not name. "
        "Save again to block it all the same."
    )


def read_value(scope: Scope, typed: str) -> str:
    """What a decision of a scope is about, as records and look-ups write it.

    Raises:
        DecisionError: it is nothing of that scope.
    """
    if scope is Scope.NETWORK:
        return network_name(typed)
    if scope is Scope.CONTENT:
        return picture_digest(typed)
    if scope is Scope.SIMILAR:
        return similar_name(typed)
    if scope in {Scope.PATCH, Scope.PERTURBATION}:
        raise DecisionError("These get onto the list by themselves: nobody types their pixels.")
    text = typed.strip()
    is_bare = scope is Scope.API_KEY and not text.lower().startswith(CLIENT_PREFIX)
    return client_name(CLIENT_PREFIX + text if is_bare else text)


def network_name(typed: str) -> str:
    """A network as decisions write it.

    >>> network_name(" 203.0.113.0/24 ")
    '203.0.113.0/24'

    Raises:
        DecisionError: it is none, has host bits, or is a good part of the internet.
    """
    text = typed.strip().lower().removeprefix("ip:")
    network = read_network(text)
    if network is None:
        raise DecisionError(_say_why_no_network(text))
    if network.prefixlen < _MIN_LENGTH[network.version]:
        least = _MIN_LENGTH[network.version]
        raise DecisionError(f"{network} is too wide: a network begins with {least} bits or more.")
    return str(network)


def _say_why_no_network(text: str) -> str:
    try:
        around = ip_network(text, strict=False)
    except ValueError:
        return "Name a network by its first address and length, e.g. 203.0.113.0/24."
    return f"{text} has host bits: the network is {around}; to mean one address, name it alone."


def similar_name(typed: str) -> str:
    """A perceptual hash with a radius, as decisions write it.

    >>> similar_name("AB" * 32)[-4:]
    'b/10'

    Raises:
        DecisionError: it is none, or the radius is not one.
    """
    parts = _SIMILAR.fullmatch(typed.strip().lower())
    if parts is None:
        raise DecisionError(
            "Name a picture by its perceptual hash, 64 hexadecimal digits, and a radius in bits, "
            "e.g. HASH/10; the request page shows the hash."
        )
    radius = DEFAULT_RADIUS if parts[2] is None else int(parts[2])
    if radius > MAX_RADIUS:
        raise DecisionError(
            f"A radius of {radius} is too wide: it is 0 to {MAX_RADIUS} bits of the 256. Pictures "
            "that have nothing to do with each other are about 128 apart."
        )
    return str(SimilarPicture(bytes.fromhex(parts[1]), radius))


def client_name(typed: str) -> str:
    """A client as decisions name it; a bare address becomes ``ip:ADDRESS``, of IPv6 its /64.

    >>> client_name(" 203.0.113.7 "), client_name("IP:2001:DB8::1"), client_name("Key:acme")
    ('ip:203.0.113.7', 'ip:2001:db8::/64', 'key:acme')

    Raises:
        DecisionError: it is neither an address nor a client's name.
    """
    text = typed.strip()
    if _SHA256.fullmatch(text.lower()):
        raise DecisionError(f"{text} is the SHA-256 of a picture: choose the scope content for it.")
    if is_unknown(text.lower()):
        raise DecisionError(
            "Nobody can tell these senders apart, so they cannot be blocked: mend what the proxy "
            "writes into X-Forwarded-For or Forwarded."
        )
    if text.lower().startswith(CLIENT_PREFIX):
        return _key_client(text[len(CLIENT_PREFIX) :])
    bare = text[3:] if text.lower().startswith("ip:") else text
    address = read_address(bare.removesuffix("/64") if ":" in bare else bare)
    if address is not None:
        return network_of(f"ip:{address}")
    if read_network(bare.lower()) is not None:
        raise DecisionError(f"{text} is a network, not one client: choose the scope cidr for it.")
    if text.lower().startswith("ip:") or not _CLIENT.fullmatch(text):
        raise DecisionError(
            "Name a client by its address, e.g. 203.0.113.7, or as the traffic page shows it."
        )
    return text


def _key_client(name: str) -> str:
    if not is_key_name(name):
        raise DecisionError(
            "Name a client with a key by the name of the key, e.g. key:acme; never type the key."
        )
    return CLIENT_PREFIX + name


def picture_digest(entry: str) -> str:
    """The SHA-256 of an exact picture in lower case.

    Raises:
        DecisionError: it is no SHA-256 digest.
    """
    digest = entry.strip().lower()
    if not _SHA256.fullmatch(digest):
        raise DecisionError(
            "Name a picture by its SHA-256, 64 hexadecimal digits; the request page shows it."
        )
    return digest

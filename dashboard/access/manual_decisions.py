"""Decisions that people make: what they typed, checked and brought into one form."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from store.configuration.network_groups import Network
from store.decisions.decisions import DecisionError, Kind, NewDecision, Scope
from store.decisions.protected import is_protected, is_unknown
from store.people.api_keys import CLIENT_PREFIX, is_key_name

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CLIENT = re.compile(r"[a-z]{2,8}:\S{1,70}")


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
    """The decision that an analyst asked for.

    Raises:
        DecisionError: the value is not of the scope, or no reason was given.
    """
    if not reason.strip():
        raise DecisionError("Say why, for whoever reads this later.")
    return NewDecision(
        kind=kind,
        scope=scope,
        value=client_name(value) if scope is Scope.CLIENT else picture_digest(value),
        scenario="by_hand",
        origin="analyst",
        reason=reason.strip(),
        created_by=who,
        until=now + timedelta(minutes=minutes),
        simulated=simulated,
    )


def warn_of_block(decision: NewDecision, trusted: Sequence[Network]) -> str | None:
    """What a person should know before a block is saved; ``None`` if there is nothing to say."""
    is_block = decision.kind is Kind.BLOCK and decision.scope is Scope.CLIENT
    if not is_block or decision.simulated or not is_protected(decision.value, trusted):
        return None
    return (
        f"{decision.value} is one of your trusted proxies: a block of it shuts out everybody "
        "behind it whom it does not name. Save again to block it all the same."
    )


def client_name(typed: str) -> str:
    """A client as records name it; a bare address becomes ``ip:ADDRESS``.

    >>> client_name(" 203.0.113.7 "), client_name("IP:2001:DB8::1"), client_name("Key:acme")
    ('ip:203.0.113.7', 'ip:2001:db8::1', 'key:acme')

    Raises:
        DecisionError: it is neither an address nor a client's name.
    """
    text = typed.strip()
    if is_unknown(text.lower()):
        raise DecisionError(
            "Nobody can tell these senders apart, so they cannot be blocked: mend what the proxy "
            "writes into X-Forwarded-For or Forwarded."
        )
    if text.lower().startswith(CLIENT_PREFIX):
        return _key_client(text[len(CLIENT_PREFIX) :])
    bare = text[3:] if text.lower().startswith("ip:") else text
    try:
        address = ip_address(bare)
    except ValueError:
        if text.lower().startswith("ip:") or not _CLIENT.fullmatch(text):
            raise DecisionError(
                "Name a client by its address, e.g. 203.0.113.7, or as the traffic page shows it."
            ) from None
        return text
    ipv4 = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return f"ip:{ipv4 or address}"


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

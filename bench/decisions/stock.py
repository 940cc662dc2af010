"""A hundred thousand active decisions of all scopes, as a database holds them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_network

from sqlalchemy import insert
from sqlalchemy.orm import Session

from store.decisions.scopes import Scope
from store.tables.work_tables import DecisionRow

_SHARES = {
    Scope.CLIENT: 0.4,
    Scope.NETWORK: 0.2,
    Scope.API_KEY: 0.1,
    Scope.CONTENT: 0.15,
    Scope.SIMILAR: 0.15,
}
_BATCH = 5_000
_FIRST_V4, _FIRST_V6 = int(IPv4Address("11.0.0.0")), int(IPv6Address("2001:db8::"))


@dataclass(frozen=True)
class Stock:
    """What is blocked, by scope."""

    values: dict[Scope, Sequence[str]]


def fill(session: Session, number: int, now: datetime) -> Stock:
    """Write so many blocks, each of a day."""
    values = {
        scope: [_value(scope, each) for each in range(round(share * number))]
        for scope, share in _SHARES.items()
    }
    rows = list(_rows(values, now))
    for start in range(0, len(rows), _BATCH):
        session.execute(insert(DecisionRow), rows[start : start + _BATCH])
    return Stock(dict(values))


def _value(scope: Scope, number: int) -> str:
    if scope is Scope.CLIENT:
        if number % 4:
            return f"ip:{IPv4Address(_FIRST_V4 + 7 * number)}"
        return f"ip:{ip_network((_FIRST_V6 + (number << 64), 64))}"
    if scope is Scope.NETWORK:
        return _network(number)
    if scope is Scope.API_KEY:
        return f"key:client-{number}"
    digest = sha256(f"{scope}{number}".encode()).hexdigest()
    return digest if scope is Scope.CONTENT else f"{digest}/{number % 32}"


def _network(number: int) -> str:
    """Prefixes of every length that people give: /8 to /32, /32 to /64."""
    if number % 4:
        length = 16 + number % 17
        return str(ip_network(((100 << 24) + (number << 12), length), strict=False))
    length = 32 + number % 33
    return str(ip_network(((0x2A00 << 112) + (number << 80), length), strict=False))


def _rows(values: dict[Scope, list[str]], now: datetime) -> Iterator[dict[str, object]]:
    for scope, names in values.items():
        for name in dict.fromkeys(names):
            yield {
                "kind": "block",
                "scope": scope.value,
                "value": name,
                "scenario": "bench",
                "origin": "cli",
                "simulated": False,
                "reason": "A bench.",
                "evidence": {},
                "created_by": "bench",
                "created_at": now,
                "until": now + timedelta(days=1),
                "version": 0,
            }

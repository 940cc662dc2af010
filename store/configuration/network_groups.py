"""Settings of proxies in front, and of connections."""

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_interface, ip_network
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from store.configuration.comma_lists import CommaList
from store.configuration.faults import wrong_kind
from store.configuration.groups import Group

Network = IPv4Network | IPv6Network
_MAPPED_BITS = 96


def _read_network(value: object) -> object:
    """A network of a text; a number, which the library would take for an address, is none."""
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    if not isinstance(value, str):
        raise wrong_kind()
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise wrong_kind() from None
    if ip_interface(value).ip != network.network_address:
        raise ValueError(f"its entry {value!r} has bits behind its mask: write {network}")
    return network


class ForwardedHeader(StrEnum):
    """The headers in which proxies name their clients."""

    AUTO = "auto"
    FORWARDED_FOR = "x-forwarded-for"
    FORWARDED = "forwarded"


class ProxiesGroup(Group):
    """Which proxies stand in front, and how they name whom they serve."""

    trusted_proxies: CommaList[Annotated[Network, BeforeValidator(_read_network)]] = ()
    """Comma-separated networks of proxies that name the client. No policy ever blocks them."""

    forwarded_header: ForwardedHeader = ForwardedHeader.AUTO
    """The header that they write: `x-forwarded-for`, or `forwarded` (RFC 7239). `auto` reads
    `X-Forwarded-For` where a request has it, else `Forwarded`: set it if your proxies write
    `Forwarded`, or clients could write the other one."""

    @field_validator("trusted_proxies")
    @classmethod
    def _unmap(cls, value: tuple[Network, ...]) -> tuple[Network, ...]:
        return tuple(map(as_ipv4, value))


def as_ipv4(network: Network) -> Network:
    """A network of IPv4 in the clothes of IPv6 as such: addresses are compared as such."""
    first = network.network_address
    mapped = first.ipv4_mapped if isinstance(first, IPv6Address) else None
    if mapped is None or network.prefixlen < _MAPPED_BITS:
        return network
    return ip_network((mapped, network.prefixlen - _MAPPED_BITS))


class ConnectionsGroup(Group):
    """How many connections a process that listens may have open, and for how long."""

    max_connections: int = Field(500, ge=1, le=100_000)
    """Connections that may be open. One more closes one that waits, of the address that has most of
    them; if that address is its own, one that rests between two requests, or itself."""

    header_seconds: float = Field(10, gt=0, le=600)
    """How long a client may take to send the headers of a request."""

    body_seconds: float = Field(20, gt=0, le=3600)
    """How long a client may take to send a whole body; an upload is then answered 408."""

    send_seconds: float = Field(30, gt=0, le=3600)
    """How long a client may take to read an answer; then the connection is closed."""

    idle_seconds: int = Field(75, ge=1, le=3600)
    """How long a connection may stay open between an answer and the next request; those of browsers
    to the dashboard 5 seconds at most. It should be longer than clients and proxies in front keep
    theirs, mostly 60 seconds and less: else a connection closes just as they send."""

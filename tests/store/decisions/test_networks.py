"""Networks: which addresses a decision is about."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.decisions.network_ends import NetworkEnds
from store.decisions.networks import lies_within, name_prefixes, narrowest_around, without
from store.requests.client_names import network_of, surround
from tests.makers import NOW

_ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6, network="2000::/3"))


@given(_ADDRESSES, st.integers(0, 128))
def test_a_prefix_map_finds_what_a_scan_finds(address: object, length: int) -> None:
    there = ip_address(str(address))
    network = surround(there, min(length, there.max_prefixlen))
    ends = NetworkEnds.of([(str(network), NOW.replace(year=2027)), ("198.51.100.0/24", NOW)])
    assert ends.holds(f"ip:{there}", NOW)
    other = ip_address(int(there) ^ (1 << (there.max_prefixlen - 1)))
    assert ends.holds(f"ip:{other}", NOW) == (network.prefixlen == 0)


@given(_ADDRESSES)
def test_every_network_of_a_client_is_named(address: object) -> None:
    client = f"ip:{address}"
    names = name_prefixes(client)
    assert len(names) == (33 if "." in client else 65)
    assert all(ip_address(str(address)) in ip_network(name) for name in names)


def test_a_key_has_no_network() -> None:
    assert name_prefixes("key:acme") == ()
    assert network_of("key:a:b:c") == "key:a:b:c"


def test_the_narrowest_network_around_some() -> None:
    members = [ip_network(f"203.0.113.{number}") for number in (129, 130, 191)]
    assert str(narrowest_around(members)) == "203.0.113.128/26"
    assert str(narrowest_around(members[:1])) == "203.0.113.129/32"


@pytest.mark.parametrize(
    ("inner", "outer", "does"),
    [
        ("203.0.113.0/25", "203.0.113.0/24", True),
        ("203.0.113.0/24", "203.0.113.0/25", False),
        ("203.0.113.0/24", "::/0", False),
        ("2001:db8::/64", "2001:db8::/48", True),
    ],
)
def test_parts_of_networks(inner: str, outer: str, does: bool) -> None:
    assert lies_within(ip_network(inner), ip_network(outer)) is does


def test_what_is_left_of_a_network_has_no_address_of_the_parts() -> None:
    left = without(ip_network("203.0.113.0/29"), [ip_network("203.0.113.3/32")])
    assert [str(each) for each in left] == ["203.0.113.0/31", "203.0.113.2/32", "203.0.113.4/30"]
    assert without(ip_network("203.0.113.0/29"), [ip_network("203.0.113.0/24")]) == []

from ipaddress import IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.identity import client_identity, network_of

PROXY = (ip_network("10.0.0.0/8"),)


def test_a_direct_client_cannot_name_itself() -> None:
    assert client_identity("198.51.100.9", "203.0.113.7", PROXY) == "ip:198.51.100.9"


def test_a_trusted_proxy_names_the_client() -> None:
    assert client_identity("10.0.0.1", "203.0.113.7", PROXY) == "ip:203.0.113.7"


def test_entries_that_the_client_wrote_are_not_believed() -> None:
    forwarded = "192.0.2.1, 203.0.113.7"
    assert client_identity("10.0.0.1", forwarded, PROXY) == "ip:203.0.113.7"


def test_a_chain_of_trusted_proxies_is_followed() -> None:
    forwarded = "203.0.113.7, 10.0.0.9"
    assert client_identity("10.0.0.1", forwarded, PROXY) == "ip:203.0.113.7"


def test_garbage_in_the_header_leaves_the_proxy_as_the_client() -> None:
    assert client_identity("10.0.0.1", "<script>", PROXY) == "ip:10.0.0.1"


def test_an_ipv4_address_in_ipv6_clothes_is_the_same_client() -> None:
    assert client_identity("::ffff:198.51.100.9", "", ()) == "ip:198.51.100.9"


@given(st.text(max_size=200))
def test_no_header_changes_an_untrusted_clients_identity(forwarded: str) -> None:
    assert client_identity("198.51.100.9", forwarded, PROXY) == "ip:198.51.100.9"


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_all_addresses_of_one_ipv6_network_count_as_one(address: IPv6Address, host: int) -> None:
    neighbour = IPv6Address(int(address) >> 64 << 64 | host)
    assert network_of(client_identity(str(address), "", ())) == network_of(
        client_identity(str(neighbour), "", ())
    ) or (address.ipv4_mapped or neighbour.ipv4_mapped)


@pytest.mark.parametrize("name", ["ip:192.0.2.1", "ip:testclient", "cli:local", "ip:", "key:a:b"])
def test_other_clients_count_for_themselves(name: str) -> None:
    assert network_of(name) == name

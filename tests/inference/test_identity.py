from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st

from inference.identity import client_identity

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

"""Requests that no model has scored, and by which number a scan knows their clients."""

import pytest

from store.requests.unscored import number_client


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("ip:2001:db8::7", "ip:2001:db8::8:9", True),
        ("ip:2001:db8::7", "ip:2001:db8::/64", True),
        ("ip:2001:db8::7", "ip:2001:db8:0:1::7", False),
        ("ip:203.0.113.7", "ip:203.0.113.8", False),
        ("ip:203.0.113.7", "ip:::ffff:203.0.113.7", False),
        ("key:a:b:c", "key:a:b:d", False),
    ],
)
def test_an_ipv6_client_is_its_network(first: str, second: str, is_same: bool) -> None:
    assert (number_client(first) == number_client(second)) is is_same


def test_the_number_of_a_client_fits_the_database() -> None:
    assert all(-(2**63) <= number_client(f"key:{each}") < 2**63 for each in range(1_000))

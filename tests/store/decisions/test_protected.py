from ipaddress import IPv6Address, ip_network

import pytest

from store.decisions.protected import is_protected, is_unknown, name_unknown

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48"))


@pytest.mark.parametrize("client", ["ip:10.1.2.3", "ip:2001:db8:1::7", "unknown@10.1.2.3"])
def test_proxies_and_whoever_they_do_not_name_are_protected(client: str) -> None:
    assert is_protected(client, PROXIES)


@pytest.mark.parametrize("client", ["ip:192.0.2.7", "key:10.1.2.3", "cli:local", "ip:testclient"])
def test_everybody_else_can_be_blocked(client: str) -> None:
    assert not is_protected(client, PROXIES)


def test_an_unknown_sender_has_a_name_of_its_own_kind() -> None:
    name = name_unknown(IPv6Address("2001:db8::1"))
    assert name == "unknown@2001:db8::1"
    assert is_unknown(name)
    assert not is_unknown("ip:2001:db8::1")

"""Ports that cannot be had."""

import socket

import pytest

from maskwatch.listener import AddressUnusable, listen


def test_a_port_in_use_names_the_setting_to_change() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressUnusable, match=f"Port {port} .* MASKWATCH_DASHBOARD_PORT"):
            listen("127.0.0.1", port, "DASHBOARD_")


def test_an_address_of_another_machine_names_the_settings_to_change() -> None:
    with pytest.raises(AddressUnusable, match="MASKWATCH_HOST or MASKWATCH_PORT"):
        listen("203.0.113.1", 8080)


def test_ipv6_loopback_works_where_the_machine_has_it() -> None:
    if not socket.has_ipv6:
        pytest.skip("this Python was built without IPv6")
    with listen("::1", 0) as listener:
        assert listener.family == socket.AF_INET6

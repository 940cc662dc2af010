from ipaddress import ip_network

import pytest
from structlog.testing import capture_logs

from inference.admission.senders import Senders
from inference.metrics import Metrics
from store.configuration.network_groups import ForwardedHeader, ProxiesGroup

PROXY = "10.0.0.1"


def _build(header: ForwardedHeader = ForwardedHeader.AUTO) -> tuple[Senders, Metrics]:
    metrics = Metrics()
    proxies = ProxiesGroup(trusted_proxies=(ip_network("10.0.0.1"),), forwarded_header=header)
    return Senders(proxies, metrics), metrics


def _read(metrics: Metrics, name: str) -> float | None:
    return metrics.registry.get_sample_value(f"maskwatch_{name}_total")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (ForwardedHeader.AUTO, "ip:203.0.113.7"),
        (ForwardedHeader.FORWARDED_FOR, "ip:203.0.113.7"),
        (ForwardedHeader.FORWARDED, "ip:192.0.2.1"),
    ],
)
def test_one_header_counts_where_a_request_has_both(header: ForwardedHeader, name: str) -> None:
    senders, _ = _build(header)
    assert senders.name_sender(PROXY, ["203.0.113.7"], ["for=192.0.2.1"]) == name


def test_forwarded_is_read_by_itself_where_the_other_is_missing() -> None:
    senders, _ = _build()
    assert senders.name_sender(PROXY, [], ['for="[2001:db8::7]:443"']) == "ip:2001:db8::7"


def test_a_proxy_that_writes_the_other_header_is_not_believed_in_what_clients_could_write() -> None:
    senders, _ = _build(ForwardedHeader.FORWARDED_FOR)
    assert senders.name_sender(PROXY, [], ["for=192.0.2.1"]) == f"ip:{PROXY}"


def test_an_unreadable_entry_is_counted_each_time_and_logged_once() -> None:
    senders, metrics = _build()
    with capture_logs() as logs:
        names = {senders.name_sender(PROXY, ["_hidden"], []) for _ in range(3)}
    assert names == {f"unknown@{PROXY}"}
    assert _read(metrics, "unreadable_senders") == 3
    assert [log["event"] for log in logs] == ["unreadable sender"]


def test_a_proxy_that_nobody_configured_is_counted_and_logged_once() -> None:
    senders, metrics = _build()
    with capture_logs() as logs:
        for _ in range(2):
            assert senders.name_sender("10.0.0.2", ["203.0.113.7"], []) == "ip:10.0.0.2"
    assert _read(metrics, "untrusted_proxies") == 2
    assert [log["event"] for log in logs] == ["untrusted proxy"]


@pytest.mark.parametrize(
    ("header", "forwarded_for", "forwarded"),
    [
        (ForwardedHeader.AUTO, [], []),
        (ForwardedHeader.AUTO, [""], [" "]),
        (ForwardedHeader.FORWARDED, ["203.0.113.7"], []),
        (ForwardedHeader.FORWARDED_FOR, [], ["for=203.0.113.7"]),
    ],
)
def test_a_trusted_proxy_that_names_nobody_is_counted_and_logged_once(
    header: ForwardedHeader, forwarded_for: list[str], forwarded: list[str]
) -> None:
    senders, metrics = _build(header)
    with capture_logs() as logs:
        for _ in range(2):
            assert senders.name_sender(PROXY, forwarded_for, forwarded) == f"ip:{PROXY}"
    assert _read(metrics, "silent_proxies") == 2
    assert [log["event"] for log in logs] == ["silent proxy"]


def test_a_client_without_a_proxy_is_no_silent_one() -> None:
    senders, metrics = _build()
    assert senders.name_sender("203.0.113.7", [], []) == "ip:203.0.113.7"
    assert _read(metrics, "silent_proxies") == 0


def test_a_client_cannot_write_an_entry_for_a_proxy_that_leaves_its_own_empty() -> None:
    senders, _ = _build()
    assert senders.name_sender(PROXY, ["198.51.100.1, "], []) == f"unknown@{PROXY}"


@pytest.mark.parametrize("network", ["::ffff:10.0.0.1", "::ffff:10.0.0.0/120"])
def test_a_proxy_trusted_in_the_clothes_of_ipv6_is_the_same(network: str) -> None:
    proxies = ProxiesGroup(trusted_proxies=(ip_network(network),))
    senders = Senders(proxies, Metrics())
    assert senders.name_sender(PROXY, ["203.0.113.7"], []) == "ip:203.0.113.7"


def test_a_stranger_that_writes_the_header_is_no_forgotten_proxy() -> None:
    senders, metrics = _build()
    assert senders.name_sender("8.8.8.8", ["203.0.113.7"], []) == "ip:8.8.8.8"
    assert _read(metrics, "untrusted_proxies") == 0


@pytest.mark.parametrize("lines", [[], ["somebody"]])
def test_a_request_that_a_reporter_names_nobody_for_is_counted_and_logged_once(
    lines: list[str],
) -> None:
    senders, metrics = _build()
    with capture_logs() as logs:
        names = {senders.name_forwarded(lines, "key:logger") for _ in range(3)}
    assert names == {"unknown@key:logger"}
    assert _read(metrics, "unreadable_senders") == 3
    (log,) = logs
    assert "--metadata-headers" in log["advice"]

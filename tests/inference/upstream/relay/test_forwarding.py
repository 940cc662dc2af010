"""What the upstream is told about the client."""

from ipaddress import ip_network
from typing import Any

import pytest

from inference.upstream.relay.address import read_address
from inference.upstream.relay.faults import FaultKind, UpstreamFault
from inference.upstream.relay.forwarding import Forwarding, SentBody

ADDRESS = read_address("http://upstream.example:5000")
HOST = (b"host", b"shop.example")


def _scope(*headers: tuple[bytes, bytes], peer: str = "198.51.100.7", **changes: Any) -> Any:
    scope = {
        "type": "http",
        "method": "POST",
        "http_version": "1.1",
        "scheme": "http",
        "client": (peer, 1),
        "headers": list(headers),
    }
    return scope | changes


def _values(headers: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]


def test_the_client_is_named_in_both_forms() -> None:
    headers = Forwarding(ADDRESS).write_headers(_scope(HOST, peer="2001:db8::1", scheme="https"))
    assert _values(headers, b"x-forwarded-for") == [b"2001:db8::1"]
    assert _values(headers, b"x-forwarded-proto") == [b"https"]
    assert _values(headers, b"x-forwarded-host") == [b"shop.example"]
    assert _values(headers, b"forwarded") == [
        b'for="[2001:db8::1]";host="shop.example";proto=https'
    ]


def test_what_a_client_says_about_itself_goes_no_further() -> None:
    forged = [
        (b"x-forwarded-for", b"127.0.0.1"),
        (b"x-forwarded-prefix", b"/evil"),
        (b"x-forwarded-host", b"evil.example"),
        (b"forwarded", b"for=127.0.0.1"),
        (b"x-real-ip", b"127.0.0.1"),
    ]
    headers = Forwarding(ADDRESS).write_headers(_scope(HOST, *forged))
    assert _values(headers, b"x-forwarded-for") == [b"198.51.100.7"]
    assert _values(headers, b"x-forwarded-host") == [b"shop.example"]
    assert len(_values(headers, b"forwarded")) == 1
    assert not _values(headers, b"x-real-ip")
    assert not _values(headers, b"x-forwarded-prefix")


def test_what_a_trusted_proxy_says_is_continued() -> None:
    said = [
        (b"x-forwarded-for", b"203.0.113.5"),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-host", b"front.example"),
        (b"x-forwarded-prefix", b"/app"),
    ]
    forwarding = Forwarding(ADDRESS, (ip_network("198.51.100.0/24"),))
    headers = forwarding.write_headers(_scope(HOST, *said))
    assert _values(headers, b"x-forwarded-for") == [b"203.0.113.5", b"198.51.100.7"]
    assert _values(headers, b"x-forwarded-proto") == [b"https"]
    assert _values(headers, b"x-forwarded-host") == [b"front.example"]
    assert _values(headers, b"x-forwarded-prefix") == [b"/app"]


def test_a_client_cannot_let_headers_of_a_proxy_be_removed() -> None:
    said = [
        (b"connection", b"x-forwarded-for, Content-Type, X-Mine"),
        (b"x-forwarded-for", b"203.0.113.5"),
        (b"content-type", b"image/png"),
        (b"x-mine", b"1"),
    ]
    forwarding = Forwarding(ADDRESS, (ip_network("198.51.100.0/24"),))
    headers = forwarding.write_headers(_scope(HOST, *said))
    assert _values(headers, b"x-forwarded-for")[0] == b"203.0.113.5"
    assert _values(headers, b"content-type") == [b"image/png"]
    assert not _values(headers, b"x-mine")
    assert not _values(headers, b"connection")


@pytest.mark.parametrize(
    "name", [b"x_forwarded_for", b"content_length", b"transfer_encoding", b"X_real-ip".lower()]
)
def test_names_that_a_wsgi_application_takes_for_others_are_left_out(name: bytes) -> None:
    headers = Forwarding(ADDRESS).write_headers(_scope(HOST, (name, b"1"), (b"my_own", b"2")))
    assert not _values(headers, name)
    assert _values(headers, b"my_own") == [b"2"]


def test_headers_of_one_connection_end_here() -> None:
    names = (
        b"keep-alive",
        b"te",
        b"trailer",
        b"upgrade",
        b"http2-settings",
        b"proxy-authorization",
        b"expect",
    )
    headers = Forwarding(ADDRESS).write_headers(_scope(HOST, *((name, b"x") for name in names)))
    assert not {name for name, _ in headers} & set(names)


def test_all_other_headers_keep_their_order_and_number() -> None:
    others = [(b"x-a", b"1"), (b"accept", b"*/*"), (b"x-a", b"2"), (b"cookie", b"a=b")]
    headers = Forwarding(ADDRESS).write_headers(_scope(HOST, *others))
    assert headers[:5] == [HOST, *others]


def test_a_length_beside_chunks_is_left_out() -> None:
    both = [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")]
    headers = Forwarding(ADDRESS).write_headers(_scope(HOST, *both))
    assert not _values(headers, b"content-length")
    assert _values(headers, b"transfer-encoding") == [b"chunked"]


def test_another_body_replaces_all_that_is_said_of_the_first() -> None:
    said = [
        (b"transfer-encoding", b"chunked"),
        (b"content-type", b"a/b"),
        (b"digest", b"sha-256=x"),
        (b"content-encoding", b"identity"),
    ]
    headers = Forwarding(ADDRESS).write_headers(_scope(HOST, *said), SentBody(b"1234", "c/d"))
    assert _values(headers, b"content-type") == [b"c/d"]
    assert _values(headers, b"content-length") == [b"4"]
    assert not {name for name, _ in headers} & {name for name, _ in said} - {b"content-type"}


def test_the_host_is_the_clients_unless_the_settings_say_otherwise() -> None:
    assert _values(Forwarding(ADDRESS).write_headers(_scope(HOST)), b"host") == [b"shop.example"]
    own = Forwarding(ADDRESS, keeps_host=False).write_headers(_scope(HOST))
    assert _values(own, b"host") == [b"upstream.example:5000"]
    assert _values(own, b"x-forwarded-host") == [b"shop.example"]


def test_a_client_without_a_host_is_given_the_upstreams() -> None:
    headers = Forwarding(ADDRESS).write_headers(_scope(http_version="1.0"))
    assert _values(headers, b"host") == [b"upstream.example:5000"]
    assert not _values(headers, b"x-forwarded-host")


def test_quotes_in_a_host_stay_within_it() -> None:
    headers = Forwarding(ADDRESS).write_headers(_scope((b"host", b'a";for=evil')))
    assert _values(headers, b"forwarded") == [b'for=198.51.100.7;host="a\\";for=evil";proto=http']


def test_a_request_that_was_here_before_is_a_loop() -> None:
    forwarding = Forwarding(ADDRESS)
    via = _values(forwarding.write_headers(_scope(HOST)), b"via")
    forwarding.check(_scope(HOST, (b"via", b"1.1 other")))
    with pytest.raises(UpstreamFault) as caught:
        forwarding.check(_scope(HOST, (b"via", b"1.1 other, " + via[0])))
    assert caught.value.kind is FaultKind.LOOP
    Forwarding(ADDRESS).check(_scope(HOST, (b"via", via[0])))

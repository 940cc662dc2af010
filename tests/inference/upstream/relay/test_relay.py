"""Requests and answers that go through a relay, on real sockets."""

import socket

import pytest

from inference.upstream.relay.exchange import Ending
from inference.upstream.relay.forwarding import SentBody
from tests.inference.upstream.relay.conftest import (
    RawUpstream,
    Relaying,
    Upstream,
    always,
    read_head,
    read_until,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture
def heads() -> list[bytes]:
    return []


@pytest.fixture
def recorder(upstream: Upstream, heads: list[bytes]) -> RawUpstream:
    def handle(connection: socket.socket) -> None:
        while True:
            heads.append(read_head(connection))
            connection.sendall(OK)

    return upstream(handle)


@pytest.mark.parametrize(
    "target",
    [
        b"/",
        b"/a/../b/./c",
        b"/a%2Fb%2e%2e%00?x=%41&y=a+b",
        b"//twice//",
        b"/path;v=1?a=b?c=d",
        b"http://elsewhere.example/a?b",
        b"/~!$&'()*+,;=:@",
    ],
)
def test_a_target_goes_up_as_it_was_sent(
    recorder: RawUpstream, relaying: Relaying, heads: list[bytes], target: bytes
) -> None:
    relaying(recorder.port).say(
        b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    assert heads[0].splitlines()[0] == b"GET " + target + b" HTTP/1.1"


def test_the_asterisk_goes_up_as_it_was_sent(
    recorder: RawUpstream, relaying: Relaying, heads: list[bytes]
) -> None:
    relaying(recorder.port).say(b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert heads[0].splitlines()[0] == b"OPTIONS * HTTP/1.1"


def test_an_answer_comes_back_as_it_was_sent(upstream: Upstream, relaying: Relaying) -> None:
    answer = (
        b"HTTP/1.1 404 Not Found\r\nServer: odd/1\r\nX-Two: 1\r\nX-Two: 2\r\nSet-Cookie: a=b\r\n"
        b"Content-Encoding: gzip\r\nContent-Length: 4\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n"
        b"\x1f\x8b\0\1"
    )
    relayed = relaying(upstream(always(answer)).port)
    head, _, body = relayed.say(GET).partition(b"\r\n\r\n")
    assert body == b"\x1f\x8b\0\1" == relayed.app.tapped
    assert head.splitlines() == [
        b"HTTP/1.1 404 Not Found",
        b"Server: odd/1",
        b"X-Two: 1",
        b"X-Two: 2",
        b"Set-Cookie: a=b",
        b"Content-Encoding: gzip",
        b"Content-Length: 4",
        b"Connection: close",
    ]
    exchange = relayed.wait_for_exchange()
    assert (exchange.status, exchange.content_encoding, exchange.received_bytes) == (404, "gzip", 4)
    assert exchange.ended is Ending.WHOLE


def test_a_redirect_is_not_followed(upstream: Upstream, relaying: Relaying) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://a/next\r\nContent-Length: 0\r\n\r\n"
    said = relaying(upstream(always(answer)).port).say(GET)
    assert said.startswith(b"HTTP/1.1 302 Found\r\nLocation: http://a/next\r\n")


@pytest.mark.parametrize(
    ("request_line", "answer", "expected"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", b"Content-Length: 99"),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", b"ETag: x"),
        (b"GET", b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n", b"X-A: b"),
        (
            b"GET",
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\nX-A: b\r\n\r\n",
            b"X-A: b",
        ),
    ],
)
def test_answers_without_a_body_have_none(
    upstream: Upstream, relaying: Relaying, request_line: bytes, answer: bytes, expected: bytes
) -> None:
    relayed = relaying(upstream(always(answer)).port)
    request = request_line + b" / HTTP/1.1\r\nHost: a\r\n"
    # The second request on the same connection is answered too: nothing of the first is left.
    said = relayed.say(request + b"\r\n", request + b"Connection: close\r\n\r\n")
    assert said.count(expected) == 2
    assert said.endswith(b"\r\n\r\n")


def test_an_answer_ends_with_the_connection_if_the_upstream_says_so(
    upstream: Upstream, relaying: Relaying
) -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nto the end")

    relayed = relaying(upstream(handle).port)
    assert relayed.say(GET).endswith(b"\r\n\r\na\r\nto the end\r\n0\r\n\r\n")


def test_chunks_go_up_as_chunks_and_lengths_as_lengths(
    upstream: Upstream, relaying: Relaying, heads: list[bytes]
) -> None:
    bodies: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        bodies.append(read_until(connection, b"end"))
        connection.sendall(OK)

    relayed = relaying(upstream(handle).port)
    post = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    relayed.say(post + b"Content-Length: 7\r\n\r\n1234end")
    relayed.say(post + b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\n1234\r\n3\r\nend\r\n0\r\n\r\n")
    assert bodies[0] == b"1234end"
    assert b"1234end" in bodies[1].replace(b"\r\n3\r\n", b"")
    assert b"content-length: 7\r\n" in heads[0]
    assert b"chunked" in heads[1]
    assert b"content-length" not in heads[1]


def test_a_client_that_waits_for_100_is_told_to_go_on(
    upstream: Upstream, relaying: Relaying
) -> None:
    seen: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        seen.append(read_head(connection))
        read_until(connection, b"body")
        connection.sendall(OK)

    with relaying(upstream(handle).port).connect() as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        )
        assert read_head(connection) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"body")
        assert read_head(connection).startswith(b"HTTP/1.1 200")
    assert b"expect" not in seen[0].lower()


def test_another_body_is_sent_with_its_own_type_and_length(
    upstream: Upstream, relaying: Relaying
) -> None:
    seen: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        seen.append(read_until(connection, b"gated"))
        connection.sendall(OK)

    relayed = relaying(upstream(handle).port)
    relayed.app.body = SentBody(b"gated", "image/png")
    relayed.say(
        b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Type: text/html\r\nContent-MD5: x\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nold\r\n0\r\n\r\n"
    )
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert body == b"gated"
    assert b"content-type: image/png" in head
    assert b"content-length: 5" in head
    assert b"md5" not in head
    assert b"transfer-encoding" not in head
    assert relayed.wait_for_exchange().sent_bytes == 5


def test_extra_headers_take_the_place_of_the_upstreams(
    upstream: Upstream, relaying: Relaying
) -> None:
    answer = b"HTTP/1.1 200 OK\r\nMaskwatch-Request-Id: forged\r\nContent-Length: 0\r\n\r\n"
    relayed = relaying(upstream(always(answer)).port)
    relayed.app.extra_headers = ((b"Maskwatch-Request-Id", b"real"),)
    said = relayed.say(GET)
    assert b"forged" not in said
    assert b"Maskwatch-Request-Id: real\r\n" in said


def test_requests_that_may_be_repeated_share_a_connection(
    recorder: RawUpstream, relaying: Relaying, heads: list[bytes]
) -> None:
    relayed = relaying(recorder.port)
    for _ in range(3):
        relayed.say(GET)
    assert (len(heads), len(recorder.connections)) == (3, 1)


def test_a_request_that_must_not_be_repeated_has_a_new_connection(
    recorder: RawUpstream, relaying: Relaying
) -> None:
    relayed = relaying(recorder.port)
    for _ in range(3):
        relayed.say(GET.replace(b"GET", b"POST"))
    assert len(recorder.connections) == 3


def test_tunnels_are_not_opened(recorder: RawUpstream, relaying: Relaying) -> None:
    said = relaying(recorder.port).say(
        b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nConnection: close\r\n\r\n"
    )
    assert said.startswith(b"HTTP/1.1 501 ")
    assert recorder.connections == []


def test_a_held_answer_is_sent_when_it_is_released(upstream: Upstream, relaying: Relaying) -> None:
    relayed = relaying(upstream(always(OK)).port)
    relayed.app.hold_bytes, relayed.app.extra_headers = 2, ((b"X-Held", b"yes"),)
    said = relayed.say(GET)
    assert said.endswith(b"\r\n\r\nok")
    assert b"X-Held: yes" in said


def test_a_held_answer_beyond_the_limit_is_a_fault(upstream: Upstream, relaying: Relaying) -> None:
    relayed = relaying(upstream(always(OK)).port)
    relayed.app.hold_bytes = 1
    assert b"too_large" in relayed.say(GET)

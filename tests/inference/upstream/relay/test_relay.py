"""Requests and answers that go through a relay, on real sockets."""

import socket
from contextlib import suppress
from threading import Event

import pytest

from inference.upstream.relay.exchange import Ending
from inference.upstream.relay.faults import FaultKind
from inference.upstream.relay.forwarding import SentBody
from tests.inference.upstream.relay.conftest import (
    RawUpstream,
    Relaying,
    Upstream,
    always,
    read_all,
    read_head,
    read_until,
)
from tests.ports import reserved_port
from tests.waiting import wait_for

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


def test_each_piece_of_an_answer_comes_before_the_next_is_sent(
    upstream: Upstream, relaying: Relaying
) -> None:
    goes_on = Event()

    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n"
        )
        goes_on.wait()
        connection.sendall(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    with relaying(upstream(handle).port).connect() as connection:
        connection.sendall(GET)
        assert b"data: 1\n\n" in read_until(connection, b"data: 1\n\n")
        goes_on.set()
        assert read_all(connection) == b"9\r\ndata: 2\n\n\r\n0\r\n\r\n"


def test_an_answer_before_the_end_of_the_body_is_passed_on(
    upstream: Upstream, relaying: Relaying
) -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 413 No\r\nContent-Length: 3\r\n\r\nbig")
        read_all(connection)

    relayed = relaying(upstream(handle).port)
    with relayed.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\nonly a part")
        assert read_all(connection).startswith(b"HTTP/1.1 413 ")
    assert relayed.wait_for_exchange().ended is Ending.WHOLE


def test_an_answer_of_an_upstream_that_stops_reading_is_passed_on(
    upstream: Upstream, relaying: Relaying
) -> None:
    over = Event()

    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 413 No\r\nContent-Length: 3\r\n\r\nbig")
        over.wait()

    relayed = relaying(upstream(handle).port)
    body = b"x" * 20_000_000
    with relayed.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n")
        with suppress(ConnectionError):
            connection.sendall(body)
        assert connection.recv(12) == b"HTTP/1.1 413"
    over.set()


def test_a_client_that_leaves_ends_the_upstreams_work(
    upstream: Upstream, relaying: Relaying
) -> None:
    has_ended, has_begun = Event(), Event()

    def handle(connection: socket.socket) -> None:
        read_head(connection)
        has_begun.set()
        assert connection.recv(1) == b""
        has_ended.set()

    relayed = relaying(upstream(handle).port)
    with relayed.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(has_begun.is_set)
    wait_for(has_ended.is_set)
    assert relayed.wait_for_exchange().ended is Ending.CLIENT_LEFT


def test_a_client_that_leaves_a_stream_ends_it(upstream: Upstream, relaying: Relaying) -> None:
    has_ended = Event()

    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        assert connection.recv(1) == b""
        has_ended.set()

    relayed = relaying(upstream(handle).port)
    with relayed.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        read_until(connection, b"ab")
    wait_for(has_ended.is_set)
    assert relayed.wait_for_exchange().ended is Ending.CLIENT_LEFT


def test_a_client_that_leaves_its_upload_ends_it(upstream: Upstream, relaying: Relaying) -> None:
    has_begun, received = Event(), list[bytes]()

    def handle(connection: socket.socket) -> None:
        read_until(connection, b"part")
        has_begun.set()
        received.append(read_all(connection))

    relayed = relaying(upstream(handle).port)
    with relayed.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\npart")
        wait_for(has_begun.is_set)
    assert relayed.wait_for_exchange().ended is Ending.CLIENT_LEFT
    wait_for(lambda: received == [b""])


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", FaultKind.BROKEN),
        (b"HTTP/1.1 200 OK\r\nContent-Le", FaultKind.BROKEN),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", FaultKind.BAD_ANSWER),
        (
            b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
            FaultKind.BAD_ANSWER,
        ),
        (b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", FaultKind.BAD_ANSWER),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            FaultKind.BAD_ANSWER,
        ),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 70, FaultKind.BAD_ANSWER),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 400_000 + b"\r\n\r\n", FaultKind.BAD_ANSWER),
    ],
)
def test_what_is_no_answer_is_a_fault(
    upstream: Upstream, relaying: Relaying, answer: bytes, kind: FaultKind
) -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(answer)

    said = relaying(upstream(handle).port).say(GET)
    assert said.startswith(b"HTTP/1.1 502 ")
    assert kind.encode() in said


def test_nobody_listens(relaying: Relaying) -> None:
    with reserved_port() as port:
        said = relaying(port).say(GET)
    assert said.startswith(b"HTTP/1.1 502 ")
    assert b"refused" in said


def test_a_silent_upstream_is_a_timeout(upstream: Upstream, relaying: Relaying) -> None:
    def handle(connection: socket.socket) -> None:
        read_all(connection)

    relayed = relaying(upstream(handle).port, upstream_answer_seconds=0.2)
    assert relayed.say(GET).startswith(b"HTTP/1.1 504 ")


def test_a_few_interim_answers_are_left_out(upstream: Upstream, relaying: Relaying) -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * 20)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    assert relaying(upstream(handle).port).say(GET).endswith(b"\r\n\r\nok")


def test_a_head_that_comes_byte_by_byte_buys_no_time(
    upstream: Upstream, relaying: Relaying
) -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        pause = Event()
        while not pause.wait(0.02):
            connection.sendall(b"a")

    relayed = relaying(upstream(handle).port, upstream_answer_seconds=0.5)
    assert relayed.say(GET).startswith(b"HTTP/1.1 504 ")


def test_a_stream_that_falls_silent_is_cut(upstream: Upstream, relaying: Relaying) -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        read_all(connection)

    relayed = relaying(upstream(handle).port, upstream_silence_seconds=0.2)
    assert relayed.say(GET).endswith(b"2\r\nab\r\n")
    assert relayed.wait_for_exchange().ended is Ending.UPSTREAM_BROKE


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\nxx\r\n",
    ],
)
def test_an_answer_shorter_than_it_says_is_cut_for_the_client_too(
    upstream: Upstream, relaying: Relaying, answer: bytes
) -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(answer)

    relayed = relaying(upstream(handle).port)
    said = relayed.say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"short" in said
    assert not said.endswith(b"0\r\n\r\n")
    assert relayed.wait_for_exchange().ended is Ending.UPSTREAM_BROKE


def test_what_follows_an_answer_is_never_the_answer_of_somebody_else(
    upstream: Upstream, relaying: Relaying
) -> None:
    poison = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
    relayed = relaying(upstream(always(OK + poison)).port)
    for _ in range(3):
        said = relayed.say(GET)
        assert said.endswith(b"\r\n\r\nok")


def test_what_comes_while_a_connection_rests_is_never_an_answer(
    upstream: Upstream, relaying: Relaying
) -> None:
    says_more = Event()

    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(OK)
        says_more.wait()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        read_all(connection)

    server = upstream(handle)
    relayed = relaying(server.port)
    assert relayed.say(GET).endswith(b"ok")
    says_more.set()
    # The relay has thrown the connection away once the upstream's thread is over.
    server.join()
    assert relayed.say(GET).endswith(b"ok")


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


def test_a_connection_that_was_closed_while_it_rested_costs_nobody_an_answer(
    upstream: Upstream, relaying: Relaying
) -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(OK)
        read_head(connection)

    server = upstream(handle)
    relayed = relaying(server.port)
    # The second request is read, and the connection closed without an answer.
    assert relayed.say(GET).endswith(b"ok")
    assert relayed.say(GET).endswith(b"ok")
    assert len(server.connections) == 2


def test_no_more_connections_are_opened_than_allowed(
    upstream: Upstream, relaying: Relaying
) -> None:
    has_begun, goes_on = Event(), Event()

    def handle(connection: socket.socket) -> None:
        read_head(connection)
        has_begun.set()
        goes_on.wait()
        connection.sendall(OK)

    relayed = relaying(upstream(handle).port, max_upstream_connections=1, upstream_wait_seconds=0.1)
    with relayed.connect() as first:
        first.sendall(GET)
        wait_for(has_begun.is_set)
        said = relayed.say(GET)
        assert said.startswith(b"HTTP/1.1 503 ")
        assert b"full" in said
        goes_on.set()
        assert read_all(first).endswith(b"ok")
    assert relayed.say(GET).endswith(b"ok")
    wait_for(lambda: relayed.app.relay.open_connections == 0)


def test_a_relay_before_itself_is_noticed(upstream: Upstream, relaying: Relaying) -> None:
    ports: list[int] = []

    def lead_back(connection: socket.socket) -> None:
        head = read_head(connection)
        with socket.create_connection(("127.0.0.1", ports[0])) as back:
            back.sendall(head)
            connection.sendall(back.recv(65_536))

    relayed = relaying(upstream(lead_back).port)
    ports.append(relayed.port)
    assert relayed.say(GET).startswith(b"HTTP/1.1 508 ")
    assert [fault.kind for fault in relayed.app.faults] == [FaultKind.LOOP]


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


def test_a_client_that_stops_reading_is_left(upstream: Upstream, relaying: Relaying) -> None:
    has_ended = Event()

    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                connection.sendall(b"x" * 65_536)
        except ConnectionError:
            has_ended.set()

    relayed = relaying(upstream(handle).port, connections={"send_seconds": 0.3})
    with relayed.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(has_ended.is_set)
    assert relayed.closed == ["read"]
    assert relayed.wait_for_exchange().ended is Ending.CLIENT_LEFT


def test_an_upstream_waits_for_a_client_that_does_not_read(
    upstream: Upstream, relaying: Relaying
) -> None:
    """However large the answer is: the relay takes in a little, and no more."""
    sent = [0]

    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.setblocking(False)
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        idle = 0
        while idle < 100:
            try:
                sent[0] += connection.send(b"x" * 65_536)
                idle = 0
            except BlockingIOError:
                idle += 1
                Event().wait(0.01)

    server = upstream(handle)
    relayed = relaying(server.port)
    with relayed.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: server.connections)
        server.join()
    # Buffers of the system on both ways, and the relay's own.
    assert sent[0] < 30_000_000

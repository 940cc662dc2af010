"""Answers in pieces, and exchanges that one side ends before they are done, on real sockets."""

import socket
from contextlib import suppress
from threading import Event

from inference.upstream.relay.exchange import Ending
from tests.inference.upstream.relay.conftest import (
    Relaying,
    Upstream,
    read_all,
    read_head,
    read_until,
)
from tests.waiting import wait_for

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


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

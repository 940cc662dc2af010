"""Upstreams that answer badly, late or not at all, and shared connections, on real sockets."""

import socket
from threading import Event

import pytest

from inference.upstream.relay.exchange import Ending
from inference.upstream.relay.faults import FaultKind
from tests.inference.upstream.relay.conftest import (
    Relaying,
    Upstream,
    read_all,
    read_head,
)
from tests.ports import reserved_port
from tests.waiting import wait_for

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


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

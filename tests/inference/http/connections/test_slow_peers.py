"""Peers that are slow or silent buy no time by it."""

import socket
from threading import Event

import pytest

from tests.inference.http.conftest import Serve, Served, read_all
from tests.inference.http.connections.requests_in_bytes import (
    CHUNKED,
    CLOSE,
    HEALTH,
    LONG,
    dribble,
    read_in_flight,
    read_one_answer,
)
from tests.waiting import PATIENCE_SECONDS, wait_for


def _answer_to_a_dribbler(served: Served, start: bytes, byte: bytes) -> bytes:
    over = Event()
    with served.connect() as connection:
        connection.sendall(start)
        sender = dribble(connection, byte, over)
        try:
            return read_all(connection)
        finally:
            over.set()
            sender.join()


def test_dribbled_headers_buy_no_time(serve: Serve) -> None:
    served = serve(header_seconds=0.5, idle_seconds=LONG)
    assert _answer_to_a_dribbler(served, b"GET /healthz HTTP/1.1\r\nX-Long: ", b"a") == b""
    assert served.closed("headers") == 1


def test_headers_of_a_later_request_have_the_same_limit(serve: Serve) -> None:
    served = serve(header_seconds=LONG, idle_seconds=LONG)
    over = Event()
    with served.connect() as connection:
        connection.sendall(HEALTH + b"\r\n")
        assert read_one_answer(connection).startswith(b"HTTP/1.1 200 ")
        served.set_limits(header_seconds=0.5)
        sender = dribble(connection, b"a", over)
        assert read_all(connection) == b""
        over.set()
        sender.join()
    assert served.closed("headers") == 1


def test_a_connection_that_says_nothing_is_closed(serve: Serve) -> None:
    served = serve(header_seconds=0.2)
    assert served.say() == b""
    assert served.closed("headers") == 1


def test_a_dribbled_body_is_answered_408_and_the_place_comes_back(serve: Serve) -> None:
    served = serve(body_seconds=0.5)
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    start = CHUNKED + b"%x\r\n%s\r\n" % (len(form), form)
    answer = _answer_to_a_dribbler(served, start, b"1\r\na\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in head.lower()
    assert b"urn:maskwatch:problem:too_slow" in body
    wait_for(lambda: read_in_flight(served) == 0)


@pytest.mark.parametrize("extra", [b"", CLOSE])
def test_whoever_never_reads_loses_the_connection(serve: Serve, extra: bytes) -> None:
    served = serve(send_seconds=0.5, idle_seconds=LONG)
    # More requests than their answers find room for in the buffers of both systems.
    asked = (b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n") * 2_000
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.settimeout(PATIENCE_SECONDS)
        connection.connect(("127.0.0.1", served.port))
        connection.sendall(asked + HEALTH + extra + b"\r\n")
        wait_for(lambda: served.closed("read") == 1)
    wait_for(lambda: served.connections == 0)


def test_headers_without_end_are_refused(serve: Serve) -> None:
    served = serve(header_seconds=LONG)
    with served.connect() as connection:
        over = Event()
        sender = dribble(connection, b"GET /healthz HTTP/1.1\r\nX-Long: " + b"a" * 5_000, over)
        answer = read_all(connection)
        over.set()
        sender.join()
    assert b"200 OK" not in answer
    assert served.closed("headers") == 0
    wait_for(lambda: served.connections == 0)

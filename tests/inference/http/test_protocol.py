"""Peers that are slow, silent, endless or many, on real sockets."""

import socket
from contextlib import ExitStack
from threading import Event, Thread

import pytest

from inference.http.protocol import Awaited, ConnectionLimits, PatientProtocol
from tests.inference.http.conftest import Serve, Served, read_all, until

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
UPLOAD = b"POST /v1/parse HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
CHUNKED = UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSE = b"Connection: close\r\n"
LONG = 3600


def _dribble(connection: socket.socket, byte: bytes, over: Event) -> Thread:
    """Send a byte every few milliseconds, for as long as the other side takes them."""

    def send() -> None:
        while not over.wait(0.01):
            try:
                connection.sendall(byte)
            except OSError:
                return

    thread = Thread(target=send)
    thread.start()
    return thread


def _answer(connection: socket.socket) -> bytes:
    """One answer, which says how long it is."""
    with connection.makefile("rb") as stream:
        head = b"".join(iter(stream.readline, b"\r\n"))
        length = next(line for line in head.splitlines() if line.startswith(b"content-length: "))
        return head + stream.read(int(length.partition(b" ")[2]))


def _answer_to_a_dribbler(served: Served, start: bytes, byte: bytes) -> bytes:
    over = Event()
    with served.connect() as connection:
        connection.sendall(start)
        sender = _dribble(connection, byte, over)
        try:
            return read_all(connection)
        finally:
            over.set()
            sender.join()


def test_an_ordinary_request_is_answered_and_the_connection_stays(serve: Serve) -> None:
    served = serve()
    with served.connect() as connection:
        for _ in range(3):
            connection.sendall(HEALTH + b"\r\n")
            assert _answer(connection).startswith(b"HTTP/1.1 200 ")
    until(lambda: served.connections == 0)
    assert not any(served.closed(why) for why in ("headers", "body", "read", "full", "endless"))


def test_answers_do_not_wait_for_the_peers_confirmation(serve: Serve) -> None:
    served = serve()
    with served.connect() as connection:
        connection.sendall(HEALTH + b"\r\n")
        assert _answer(connection).startswith(b"HTTP/1.1 200 ")
        (protocol,) = served.server.server_state.connections
        assert isinstance(protocol, PatientProtocol)
        peer = protocol.transport.get_extra_info("socket")
        assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_dribbled_headers_buy_no_time(serve: Serve) -> None:
    served = serve(header_seconds=0.5, idle_seconds=LONG)
    assert _answer_to_a_dribbler(served, b"GET /healthz HTTP/1.1\r\nX-Long: ", b"a") == b""
    assert served.closed("headers") == 1


def test_headers_of_a_later_request_have_the_same_limit(serve: Serve) -> None:
    served = serve(header_seconds=0.5, idle_seconds=LONG)
    over = Event()
    with served.connect() as connection:
        connection.sendall(HEALTH + b"\r\n")
        assert _answer(connection).startswith(b"HTTP/1.1 200 ")
        sender = _dribble(connection, b"a", over)
        assert read_all(connection) == b""
        over.set()
        sender.join()
    assert served.closed("headers") == 1


def test_a_connection_that_says_nothing_is_closed(serve: Serve) -> None:
    served = serve(header_seconds=0.2)
    assert served.say() == b""
    assert served.closed("headers") == 1


def test_an_idle_connection_is_closed_after_its_answer(serve: Serve) -> None:
    served = serve(header_seconds=LONG, idle_seconds=1)
    assert served.say(HEALTH + b"\r\n").endswith(b'{"status":"ok"}')
    until(lambda: served.connections == 0)


def test_a_dribbled_body_is_answered_408_and_the_place_comes_back(serve: Serve) -> None:
    served = serve(body_seconds=0.5)
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    start = CHUNKED + b"%x\r\n%s\r\n" % (len(form), form)
    answer = _answer_to_a_dribbler(served, start, b"1\r\na\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in head.lower()
    assert b"urn:maskwatch:problem:too_slow" in body
    in_flight = served.service.metrics.registry.get_sample_value("maskwatch_in_flight")
    assert in_flight == 0


def test_whoever_is_refused_early_may_not_send_for_ever(serve: Serve) -> None:
    served = serve(max_upload_bytes=1_000, idle_seconds=LONG)
    with served.connect() as connection:
        connection.sendall(UPLOAD + b"Content-Length: 100000000000\r\n\r\n")
        assert _answer(connection).startswith(b"HTTP/1.1 413 ")
        over = Event()
        sender = _dribble(connection, bytes(1_000), over)
        assert read_all(connection) == b""
        over.set()
        sender.join()
    assert served.closed("endless") == 1


def test_whoever_is_refused_early_can_read_that_and_ask_again(serve: Serve) -> None:
    """The whole body is sent before the answer is read, as most clients do."""
    served = serve(max_upload_bytes=1_000_000)
    with served.connect() as connection:
        connection.sendall(UPLOAD + b"Content-Length: 4000000\r\n\r\n" + bytes(4_000_000))
        connection.sendall(HEALTH + CLOSE + b"\r\n")
        answers = read_all(connection)
    assert answers.startswith(b"HTTP/1.1 413 ")
    assert answers.endswith(b'{"status":"ok"}')


@pytest.mark.parametrize("extra", [b"", CLOSE])
def test_whoever_never_reads_loses_the_connection(serve: Serve, extra: bytes) -> None:
    served = serve(send_seconds=0.5, idle_seconds=LONG)
    # More requests than their answers find room for in the buffers of both systems.
    asked = (b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n") * 2_000
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", served.port))
        connection.sendall(asked + HEALTH + extra + b"\r\n")
        until(lambda: served.closed("read") == 1)
    until(lambda: served.connections == 0)


def test_connections_over_the_limit_are_closed_at_once_and_the_others_work(serve: Serve) -> None:
    served = serve(max_connections=20, header_seconds=LONG)
    with ExitStack() as stack:
        opened = [stack.enter_context(served.connect()) for _ in range(20)]
        until(lambda: served.connections == 20)
        for _ in range(30):
            assert served.say() == b""
        assert served.closed("full") == 30
        opened[0].sendall(HEALTH + b"\r\n")
        assert _answer(opened[0]).startswith(b"HTTP/1.1 200 ")
    until(lambda: served.connections == 0)
    assert b"200 OK" in served.say(HEALTH + CLOSE + b"\r\n")


def test_headers_without_end_are_refused(serve: Serve) -> None:
    served = serve(header_seconds=LONG)
    with served.connect() as connection:
        over = Event()
        sender = _dribble(connection, b"GET /healthz HTTP/1.1\r\nX-Long: " + b"a" * 5_000, over)
        answer = read_all(connection)
        over.set()
        sender.join()
    assert b"200 OK" not in answer
    assert served.closed("headers") == 0
    until(lambda: served.connections == 0)


def test_an_upgrade_is_not_followed(serve: Serve) -> None:
    """It would take the connection out of reach of the limits."""
    upgrade = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    answer = serve().say(HEALTH + upgrade + b"Sec-WebSocket-Key: MDEyMzQ1Njc4OUFCQ0RFRg==\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"status":"ok"}')


def test_what_is_awaited_has_its_own_limit() -> None:
    limits = ConnectionLimits(1, 2, 3, 4, 5)
    assert [limits.seconds(awaited) for awaited in Awaited] == [1, 2, 3]

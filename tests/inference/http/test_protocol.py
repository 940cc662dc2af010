"""Peers that are slow, silent, endless or many, on real sockets."""

import socket
from contextlib import ExitStack, suppress
from threading import Event, Thread

import pytest

from detectors.parsing import Image
from store.configuration.network_groups import ConnectionsGroup
from store.http.metered import MeteredConnection
from store.http.protocol import ConnectionLimits, PatientProtocol, Step
from tests.inference.http.conftest import Encode, Serve, Served, block, part, read_all
from tests.waiting import PATIENCE_SECONDS, wait_for

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
    wait_for(lambda: served.connections == 0)
    assert not any(served.closed(why) for why in (*Step, "full", "framing"))


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
    served = serve(header_seconds=LONG, idle_seconds=LONG)
    over = Event()
    with served.connect() as connection:
        connection.sendall(HEALTH + b"\r\n")
        assert _answer(connection).startswith(b"HTTP/1.1 200 ")
        served.set_limits(header_seconds=0.5)
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
    wait_for(lambda: served.connections == 0)


def test_a_dribbled_body_is_answered_408_and_the_place_comes_back(serve: Serve) -> None:
    served = serve(body_seconds=0.5)
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    start = CHUNKED + b"%x\r\n%s\r\n" % (len(form), form)
    answer = _answer_to_a_dribbler(served, start, b"1\r\na\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in head.lower()
    assert b"urn:maskwatch:problem:too_slow" in body
    wait_for(lambda: _in_flight(served) == 0)


def _in_flight(served: Served) -> float | None:
    return served.service.metrics.registry.get_sample_value("maskwatch_in_flight")


def _send_until_closed(connection: socket.socket, data: bytes) -> None:
    """Send the same again and again until the other side does not take it any more."""
    with suppress(ConnectionResetError, BrokenPipeError):
        while True:
            connection.sendall(data)


@pytest.mark.parametrize("path", [b"/v1/parse", b"/nothing", b"/healthz"])
@pytest.mark.parametrize(
    "framing", [b"Content-Length: 100000000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"]
)
def test_whoever_is_answered_early_is_told_that_it_was_the_last_and_may_not_go_on(
    serve: Serve, path: bytes, framing: bytes
) -> None:
    served = serve(max_upload_bytes=1_000)
    with served.connect() as connection:
        connection.sendall(UPLOAD.replace(b"/v1/parse", path) + framing)
        if path == b"/v1/parse" and b"chunked" in framing:
            # It may be refused, and the connection closed, before all of it is sent.
            with suppress(ConnectionError):
                connection.sendall(b"fffff\r\n" + bytes(0xFFFFF) + b"\r\n")
        assert b"connection: close" in _answer(connection).lower()
        assert read_all(connection) == b""
        _send_until_closed(connection, bytes(100_000))
    wait_for(lambda: served.closed("endless") == 1)


def test_whoever_hangs_on_after_an_early_answer_is_closed(serve: Serve) -> None:
    served = serve(max_upload_bytes=1_000, idle_seconds=LONG)
    with served.connect() as connection:
        connection.sendall(UPLOAD + b"Content-Length: 100000000000\r\n\r\n")
        assert _answer(connection).startswith(b"HTTP/1.1 413 ")
        wait_for(lambda: served.closed("endless") == 1)
    wait_for(lambda: served.connections == 0)


def test_nothing_that_comes_after_an_early_answer_is_parsed(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = []

    def noticed(connection: MeteredConnection, data: bytes) -> None:
        parsed.append(data)
        receive_data(connection, data)

    receive_data = MeteredConnection.receive_data
    monkeypatch.setattr(MeteredConnection, "receive_data", noticed)
    served = serve()
    head = UPLOAD.replace(b"/v1/parse", b"/nothing") + b"Transfer-Encoding: chunked\r\n\r\n"
    with served.connect() as connection:
        connection.sendall(head)
        assert _answer(connection).startswith(b"HTTP/1.1 404 ")
        _send_until_closed(connection, b"1\r\na\r\n" * 10_000)
    assert b"".join(parsed) == head


def test_whoever_is_refused_early_can_read_that(serve: Serve) -> None:
    """The whole body is sent before the answer is read, as many clients do."""
    served = serve(max_upload_bytes=1_000_000)
    served.set_limits(parting_seconds=LONG)
    with served.connect() as connection:
        connection.sendall(UPLOAD + b"Content-Length: 1900000\r\n\r\n" + bytes(1_900_000))
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(b"}")
    assert served.closed("endless") == 0


def test_whoever_sends_no_http_can_read_that(serve: Serve) -> None:
    answer = serve().say(b"GET /healthz HTTP/1.1\r\nX:" + b" " * 200_000 + b"\0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("path", [b"/v1/parse", b"/nothing"])
def test_single_bytes_with_a_frame_each_cost_the_connection(serve: Serve, path: bytes) -> None:
    served = serve()
    with served.connect() as connection:
        connection.sendall(CHUNKED.replace(b"/v1/parse", path))
        _send_until_closed(connection, b"1\r\na\r\n" * 10_000)
    wait_for(lambda: served.closed("framing") + served.closed("endless") == 1)
    wait_for(lambda: served.connections == 0)
    wait_for(lambda: _in_flight(served) == 0)


def test_a_blocked_sender_does_not_get_further_with_single_bytes(serve: Serve) -> None:
    served = serve(refusal_pause_seconds=10)
    block(served.service, "ip:127.0.0.1")
    nothing = UPLOAD + CLOSE + b"Content-Length: 0\r\n\r\n"
    assert b"urn:maskwatch:problem:blocked" in served.say(nothing)
    with served.connect() as connection:
        connection.sendall(CHUNKED)
        _send_until_closed(connection, b"1\r\na\r\n" * 10_000)
    wait_for(lambda: served.closed("framing") == 1)


@pytest.mark.parametrize("size", [128, 512, 4_096, 8_192])
def test_an_upload_that_is_streamed_in_small_chunks_is_taken(
    serve: Serve, figure: Image, encode: Encode, size: int
) -> None:
    picture = encode(figure) + bytes(1_000_000)
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    pieces = [head, *(picture[at : at + size] for at in range(0, len(picture), size)), b"\r\n--b--"]
    with serve().connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(CHUNKED)
        for piece in pieces:
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")
        assert _answer(connection).startswith(b"HTTP/1.1 200 ")


def test_a_slow_phone_that_sends_in_small_packets_is_answered(
    serve: Serve, figure: Image, encode: Encode
) -> None:
    form = part(b'form-data; name="file"; filename="a.png"', encode(figure)) + b"--b--\r\n"
    with serve().connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(UPLOAD + b"Content-Length: %d\r\n\r\n" % len(form))
        for at in range(0, len(form), 400):
            connection.sendall(form[at : at + 400])
            Event().wait(0.001)  # or the system would join the packets
        assert _answer(connection).startswith(b"HTTP/1.1 200 ")


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


def test_connections_over_the_limit_are_closed_at_once_and_the_others_work(serve: Serve) -> None:
    served = serve(max_connections=20, header_seconds=LONG)
    with ExitStack() as stack:
        opened = [stack.enter_context(served.connect()) for _ in range(20)]
        wait_for(lambda: served.connections == 20)
        for _ in range(30):
            assert served.say() == b""
        assert served.closed("full") == 30
        opened[0].sendall(HEALTH + b"\r\n")
        assert _answer(opened[0]).startswith(b"HTTP/1.1 200 ")
    wait_for(lambda: served.connections == 0)
    assert b"200 OK" in served.say(HEALTH + CLOSE + b"\r\n")


def test_a_peer_with_all_connections_gives_way_to_others_and_loses_only_what_waits(
    serve: Serve,
) -> None:
    served = serve(max_connections=20, header_seconds=LONG)
    with ExitStack() as stack:
        hoard = [stack.enter_context(served.connect("127.0.0.9")) for _ in range(20)]
        wait_for(lambda: served.connections == 20)
        others = [stack.enter_context(served.connect(f"127.0.1.{n}")) for n in range(1, 9)]
        for each in others:
            each.sendall(HEALTH + b"\r\n")
            assert _answer(each).startswith(b"HTTP/1.1 200 ")
        assert served.closed("full") == 8
        assert served.connections == 20
        closed = [each for each in hoard if _is_closed(each)]
        assert len(closed) == 8
        with served.connect("127.0.0.9") as one_more:
            assert read_all(one_more) == b""


def test_a_connection_rests_longer_than_clients_and_proxies_keep_theirs() -> None:
    """Else it closes just as they send. nginx and load balancers of clouds keep theirs for 60."""
    assert ConnectionsGroup().idle_seconds > 60


def _ask_and_rest(served: Served, connection: socket.socket, resting: int) -> None:
    """Ask once, then wait until so many connections rest."""
    connection.sendall(HEALTH + b"\r\n")
    assert _answer(connection).startswith(b"HTTP/1.1 200 ")
    wait_for(
        lambda: sum(map(_is_resting, tuple(served.server.server_state.connections))) == resting
    )


def _is_resting(connection: object) -> bool:
    return isinstance(connection, PatientProtocol) and connection.is_resting


def test_when_all_are_taken_the_one_that_rests_longest_gives_way(serve: Serve) -> None:
    served = serve(max_connections=4, idle_seconds=LONG)
    with ExitStack() as stack:
        resting = [stack.enter_context(served.connect(f"127.0.1.{n}")) for n in range(1, 5)]
        for count, each in enumerate(resting, 1):
            _ask_and_rest(served, each, count)
        newcomer = stack.enter_context(served.connect("127.0.1.9"))
        _ask_and_rest(served, newcomer, 4)
        assert [_is_closed(each) for each in resting] == [True, False, False, False]
    assert served.closed("full") == 1


def test_whoever_has_more_than_others_cuts_off_none_of_them(serve: Serve) -> None:
    served = serve(max_connections=4, header_seconds=LONG, idle_seconds=LONG)
    with ExitStack() as stack:
        honest = stack.enter_context(served.connect("127.0.1.1"))
        _ask_and_rest(served, honest, 1)
        for _ in range(3):
            stack.enter_context(served.connect("127.0.0.9"))
        wait_for(lambda: served.connections == 4)
        with served.connect("127.0.0.9") as one_more:
            assert read_all(one_more) == b""
        assert not _is_closed(honest)


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except BlockingIOError:
        return False


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
    wait_for(lambda: served.connections == 0)


def test_an_upgrade_is_not_followed(serve: Serve) -> None:
    """It would take the connection out of reach of the limits."""
    upgrade = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    answer = serve().say(HEALTH + upgrade + b"Sec-WebSocket-Key: MDEyMzQ1Njc4OUFCQ0RFRg==\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"status":"ok"}')


def test_what_is_awaited_has_its_own_limit() -> None:
    limits = ConnectionLimits(1, 2, 3, 4, 5, 6, 7, 8)
    assert [limits.seconds(step) for step in Step] == [1, 2, 3, 4]

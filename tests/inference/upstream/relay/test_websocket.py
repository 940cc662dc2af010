"""WebSockets through a relay, with a real client and a real server of another library."""

import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from threading import Event
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Request, Response
from websockets.sync.client import ClientConnection
from websockets.sync.server import ServerConnection
from websockets.typing import Subprotocol

from inference.upstream.relay.faults import FaultKind
from tests.inference.upstream.relay.conftest import (
    Relayed,
    Relaying,
    Upstream,
    read_head,
    read_until,
)
from tests.ports import reserved_port
from tests.waiting import wait_for
from tests.web_sockets import open_websocket, say_again, serve_websockets

Serving = Callable[[Callable[[ServerConnection], None]], int]


@pytest.fixture
def sockets(stack: ExitStack) -> Serving:
    """Starts WebSocket servers; gives the port."""

    def refuse(_connection: ServerConnection, request: Request) -> Response | None:
        if request.path != "/refused":
            return None
        return _connection.respond(401, "Who are you?")

    def choose(_connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        return next((name for name in offered if name in ("b", "c")), None)

    def start(handle: Callable[[ServerConnection], None]) -> int:
        server = serve_websockets(
            handle, process_request=refuse, select_subprotocol=choose, max_size=None
        )
        return stack.enter_context(server)

    return start


def _open(relayed: Relayed, path: str = "/ws?a=%2F", **options: Any) -> ClientConnection:
    url = f"ws://127.0.0.1:{relayed.port}{path}"
    return open_websocket(url, max_size=None, **options)


def test_text_and_bytes_go_both_ways_as_they_are(sockets: Serving, relaying: Relaying) -> None:
    relayed = relaying(sockets(say_again))
    with _open(relayed) as client:
        for message in ("grüße \U0001f600\0", b"\0\xff\r\n", "", b"", b"x" * 1_000_000):
            client.send(message)
            assert client.recv() == message
    wait_for(lambda: relayed.app.relay.open_connections == 0)


def test_a_message_in_fragments_comes_whole(sockets: Serving, relaying: Relaying) -> None:
    with _open(relaying(sockets(say_again))) as client:
        client.send(iter(["a", "b", "c"]))
        assert client.recv() == "abc"


def test_the_handshake_goes_up_with_its_headers(sockets: Serving, relaying: Relaying) -> None:
    requests: list[Request] = []

    def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        requests.append(connection.request)

    relayed = relaying(sockets(handle))
    headers = {"Cookie": "session=1", "X-Forwarded-For": "127.0.0.9", "Origin": "http://a"}
    client = _open(relayed, additional_headers=headers, user_agent_header="own/1")
    with client, pytest.raises(ConnectionClosed):
        client.recv()
    (request,) = requests
    assert request.path == "/ws?a=%2F"
    assert request.headers["Cookie"] == "session=1"
    assert request.headers["Origin"] == "http://a"
    assert request.headers["User-Agent"] == "own/1"
    assert request.headers["Host"] == f"127.0.0.1:{relayed.port}"
    assert request.headers["X-Forwarded-For"] == "127.0.0.1"
    assert request.headers["Via"].startswith("1.1 maskwatch-")


@pytest.mark.parametrize(("offered", "agreed"), [(["a", "c"], "c"), (["b"], "b"), ([], None)])
def test_the_upstream_chooses_the_subprotocol(
    sockets: Serving, relaying: Relaying, offered: list[str], agreed: str | None
) -> None:
    names = [Subprotocol(name) for name in offered]
    with _open(relaying(sockets(say_again)), subprotocols=names or None) as client:
        assert client.subprotocol == agreed


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (4001, "enough"), (1001, "bye")])
def test_the_clients_close_goes_up(
    sockets: Serving, relaying: Relaying, code: int, reason: str
) -> None:
    closes: list[tuple[int | None, str | None]] = []

    def handle(connection: ServerConnection) -> None:
        with pytest.raises(ConnectionClosed):
            connection.recv()
        closes.append((connection.close_code, connection.close_reason))

    with _open(relaying(sockets(handle))) as client:
        client.close(code, reason)
    wait_for(lambda: closes)
    assert closes == [(code, reason)]


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (4001, "enough"), (1011, "oh")])
def test_the_upstreams_close_comes_down(
    sockets: Serving, relaying: Relaying, code: int, reason: str
) -> None:
    def handle(connection: ServerConnection) -> None:
        connection.close(code, reason)

    with _open(relaying(sockets(handle))) as client:
        with pytest.raises(ConnectionClosed):
            client.recv()
        assert (client.close_code, client.close_reason) == (code, reason)


def test_a_client_that_vanishes_is_gone_for_the_upstream_too(
    sockets: Serving, relaying: Relaying
) -> None:
    codes: list[int | None] = []

    def handle(connection: ServerConnection) -> None:
        with pytest.raises(ConnectionClosed):
            connection.recv()
        codes.append(connection.close_code)

    with _open(relaying(sockets(handle))) as client:
        client.socket.shutdown(socket.SHUT_RDWR)
        wait_for(lambda: codes)
    assert codes == [1006]


def test_an_upstream_that_vanishes_is_told_as_a_bad_gateway(
    sockets: Serving, relaying: Relaying
) -> None:
    def handle(connection: ServerConnection) -> None:
        connection.socket.shutdown(socket.SHUT_RDWR)

    with _open(relaying(sockets(handle))) as client:
        with pytest.raises(ConnectionClosed):
            client.recv()
        assert client.close_code == 1014


@pytest.mark.parametrize("message", [b"x" * 2_000, [b"x" * 400] * 5], ids=["whole", "fragments"])
@pytest.mark.parametrize("is_from_client", [True, False])
def test_a_message_beyond_the_limit_closes(
    sockets: Serving, relaying: Relaying, *, is_from_client: bool, message: bytes | list[bytes]
) -> None:
    def handle(connection: ServerConnection) -> None:
        if is_from_client:
            say_again(connection)
        else:
            connection.send(message)

    relayed = relaying(sockets(handle), max_websocket_message_bytes=1_000)
    with _open(relayed) as client:
        if is_from_client:
            # The close may arrive while later fragments are still being sent.
            with suppress(ConnectionClosed):
                client.send(message)
        with pytest.raises(ConnectionClosed):
            client.recv()
        assert client.close_code == 1009


def test_a_refusal_of_the_upstream_comes_down(sockets: Serving, relaying: Relaying) -> None:
    relayed = relaying(sockets(say_again))
    with pytest.raises(InvalidStatus) as caught:
        _open(relayed, "/refused").close()
    assert caught.value.response.status_code == 401
    assert caught.value.response.body == b"Who are you?"


def test_an_upstream_without_websockets_is_a_bad_answer(
    upstream: Upstream, relaying: Relaying
) -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"no HTTP\r\n\r\n")

    relayed = relaying(upstream(handle).port)
    with pytest.raises(InvalidStatus) as caught:
        _open(relayed).close()
    assert caught.value.response.status_code == 502
    assert [fault.kind for fault in relayed.app.faults] == [FaultKind.BAD_ANSWER]


def test_nobody_listens_for_websockets(relaying: Relaying) -> None:
    with reserved_port() as port, pytest.raises(InvalidStatus) as caught:
        _open(relaying(port)).close()
    assert caught.value.response.status_code == 502


def test_websockets_take_places_of_the_pool(sockets: Serving, relaying: Relaying) -> None:
    relayed = relaying(sockets(say_again), max_upstream_connections=1, upstream_wait_seconds=0.1)
    with _open(relayed) as client:
        client.send("in")
        assert client.recv() == "in"
        with pytest.raises(InvalidStatus) as caught:
            _open(relayed).close()
        assert caught.value.response.status_code == 503


def test_a_pushing_upstream_waits_for_a_client_that_does_not_read(
    sockets: Serving, relaying: Relaying
) -> None:
    sent, is_over = [0], Event()

    def handle(connection: ServerConnection) -> None:
        connection.socket.settimeout(0.5)
        try:
            while sent[0] < 100_000_000:
                connection.send(b"x" * 100_000)
                sent[0] += 100_000
        except (TimeoutError, ConnectionClosed):
            pass
        is_over.set()

    with _open(relaying(sockets(handle)), max_queue=1) as client:
        wait_for(is_over.is_set)
        client.socket.shutdown(socket.SHUT_RDWR)
    assert sent[0] < 50_000_000


_HANDSHAKE = (
    b"Host: a\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.mark.parametrize("method", [b"POST", b"GET"])
def test_an_upgrade_with_a_body_is_no_websocket(
    upstream: Upstream, relaying: Relaying, method: bytes
) -> None:
    heads: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        read_until(connection, b"body")
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    relayed = relaying(upstream(handle).port)
    said = relayed.say(
        method + b" /ws HTTP/1.1\r\nContent-Length: 4\r\n" + _HANDSHAKE + b"\r\nbody"
    )
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"upgrade" not in heads[0].lower()


def test_a_handshake_that_is_not_understood_is_closed(sockets: Serving, relaying: Relaying) -> None:
    """A line may be longer in HTTP than the library of WebSockets reads."""
    cookie = b"Cookie: " + b"a" * 12_000 + b"\r\n"
    said = relaying(sockets(say_again)).say(b"GET /ws HTTP/1.1\r\n" + _HANDSHAKE + cookie + b"\r\n")
    assert said.startswith(b"HTTP/1.1 400 ")

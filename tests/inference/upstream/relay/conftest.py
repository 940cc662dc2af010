"""A relay between a real server and clients that speak through sockets."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from inference.upstream.relay.exchange import Exchange
from inference.upstream.relay.faults import UpstreamFault
from inference.upstream.relay.forwarding import Forwarding, SentBody
from inference.upstream.relay.listener import proxy_config
from inference.upstream.relay.relay import Relay
from inference.upstream.upstream_settings import SentHost, UpstreamGroup
from store.configuration.network_groups import ConnectionsGroup, ProxiesGroup
from store.http.protocol import connection_limits
from tests.waiting import PATIENCE_SECONDS, wait_for

# A limit is reached in the tests of that limit alone, not because the machine is busy.
PATIENT_UPSTREAM = {
    f"upstream_{name}_seconds": PATIENCE_SECONDS for name in ("connect", "wait", "idle")
}
PATIENT_CLIENTS = {f"{name}_seconds": PATIENCE_SECONDS for name in ("header", "body", "send")}
Handler = Callable[[socket.socket], None]


@dataclass
class RawUpstream:
    """A server that says exactly what a test tells it to, one thread for each connection."""

    handle: Handler
    listener: socket.socket
    connections: list[socket.socket] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin to take connections."""
        self._accepting = Thread(target=self._accept_all)
        self._accepting.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.listener.getsockname()[1])

    def _accept_all(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            thread = Thread(target=self._serve, args=(connection,))
            thread.start()
            self.threads.append(thread)

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self.handle(connection)

    def join(self) -> None:
        """Wait until all connections that were taken are over."""
        # A connection may be answered before its thread is in the list.
        wait_for(lambda: len(self.threads) == len(self.connections))
        for thread in self.threads:
            thread.join()

    def close(self) -> None:
        """Close everything and wait for the threads."""
        _shut(self.listener)
        self._accepting.join()
        self.listener.close()
        for connection in self.connections:
            _shut(connection)
        self.join()


def _shut(opened: socket.socket) -> None:
    with suppress(OSError):
        opened.shutdown(socket.SHUT_RDWR)


@dataclass
class RelayApp:
    """The least application around a relay: faults become statuses, exchanges are kept."""

    relay: Relay
    body: SentBody | None = None
    hold_bytes: int | None = None
    extra_headers: tuple[tuple[bytes, bytes], ...] = ()
    exchanges: list[Exchange] = field(default_factory=list)
    faults: list[UpstreamFault] = field(default_factory=list)
    tapped: bytearray = field(default_factory=bytearray)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request or WebSocket on."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        try:
            await self._pass_on(scope, receive, send)
        except UpstreamFault as fault:
            self.faults.append(fault)
            kind = "websocket.http" if scope["type"] == "websocket" else "http"
            await send(
                {"type": f"{kind}.response.start", "status": fault.kind.status, "headers": []}
            )
            await send({"type": f"{kind}.response.body", "body": fault.kind.encode()})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.relay.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.relay.forward_websocket(scope, receive, send)
        elif self.hold_bytes is not None:
            held = await self.relay.hold(scope, receive, self.hold_bytes, body=self.body)
            self.exchanges.append(held.exchange)
            await held.release(send, self.extra_headers)
        else:
            if self.body is not None:
                while (await receive()).get("more_body", False):
                    pass
            exchange = await self.relay.forward(
                scope,
                receive,
                send,
                body=self.body,
                tap=self.tapped.extend,
                extra_headers=self.extra_headers,
            )
            self.exchanges.append(exchange)


@dataclass(frozen=True)
class Relayed:
    """A relay that listens."""

    app: RelayApp
    port: int
    closed: list[str]

    def connect(self) -> socket.socket:
        """A new connection; whoever uses it closes it."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS)

    def say(self, *parts: bytes) -> bytes:
        """Send bytes over a connection of their own and read until it is closed."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
            return read_all(connection)

    def wait_for_exchange(self) -> Exchange:
        """The first exchange, once it is over."""
        wait_for(lambda: self.app.exchanges)
        return self.app.exchanges[0]


Upstream = Callable[[Handler], RawUpstream]
Relaying = Callable[..., Relayed]
Serving = Callable[[ASGIApp], int]


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes the connection, in whichever way."""
    received = bytearray()
    try:
        while data := connection.recv(65_536):
            received += data
    except ConnectionResetError:
        pass
    return bytes(received)


def read_some(connection: socket.socket, size: int = 65_536) -> bytes:
    """At least one byte."""
    data = connection.recv(size)
    if not data:
        raise ConnectionResetError("closed too early")
    return data


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """What comes, up to and with some bytes; what comes behind them is kept too."""
    received = b""
    while end not in received:
        received += read_some(connection)
    return received


def read_head(connection: socket.socket) -> bytes:
    """The head of a request or an answer, byte by byte."""
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        received += read_some(connection, 1)
    return received


def always(answer: bytes) -> Handler:
    """Answers every request of a connection with the same bytes."""

    def handle(connection: socket.socket) -> None:
        while True:
            read_head(connection)
            connection.sendall(answer)

    return handle


@contextmanager
def listening(config: Callable[[], uvicorn.Config]) -> Iterator[int]:
    """Run a server of uvicorn; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(config())
        thread = Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            wait_for(lambda: server.started)
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Closes what a test opened."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def upstream(stack: ExitStack) -> Upstream:
    """Starts servers that say what they are told to: ``upstream(handle)``."""

    def start(handle: Handler) -> RawUpstream:
        server = RawUpstream(handle, socket.create_server(("127.0.0.1", 0)))
        stack.callback(server.close)
        return server

    return start


@pytest.fixture
def serving(stack: ExitStack) -> Serving:
    """Starts applications in servers of uvicorn."""

    def start(app: ASGIApp) -> int:
        def config() -> uvicorn.Config:
            ws = "websockets-sansio"
            return uvicorn.Config(app, ws=ws, log_config=None, lifespan="off")

        return stack.enter_context(listening(config))

    return start


@pytest.fixture
def relaying(stack: ExitStack) -> Relaying:
    """Starts relays: ``relaying(port, upstream_answer_seconds=1)``."""

    def start(
        port: int, *, proxies: tuple[str, ...] = (), connections: Any = None, **changes: Any
    ) -> Relayed:
        values = {"upstream": f"http://127.0.0.1:{port}", **PATIENT_UPSTREAM, **changes}
        group = UpstreamGroup(**values)
        forwarding = Forwarding(
            group.upstream_address(),
            ProxiesGroup(trusted_proxies=proxies).trusted_proxies,
            keeps_host=group.upstream_host is SentHost.CLIENT,
        )
        relay = Relay(group.upstream_address(), forwarding, group.relay_limits())
        app, closed = RelayApp(relay), list[str]()

        def config() -> uvicorn.Config:
            limits = connection_limits(ConnectionsGroup(**PATIENT_CLIENTS | (connections or {})))
            return proxy_config(
                app, limits, group.relay_limits(), idle_seconds=60, count_closed=closed.append
            )

        return Relayed(app, stack.enter_context(listening(config)), closed)

    return start

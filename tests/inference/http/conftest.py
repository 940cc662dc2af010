"""The service behind real sockets."""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import Any

import pytest
import uvicorn
from httpx2 import Response
from sqlalchemy import select
from starlette.testclient import TestClient

from inference.http.server import server_config
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from store.decisions.decisions import NewDecision, add_decision
from store.decisions.scopes import Kind, Scope
from store.tables.request_tables import RequestRow
from tests.inference.conftest import make_settings
from tests.waiting import PATIENCE_SECONDS, wait_for


@dataclass(frozen=True)
class Served:
    """A service that listens on a port of loopback."""

    service: Service
    server: uvicorn.Server
    port: int

    @property
    def url(self) -> str:
        """Where requests go."""
        return f"http://127.0.0.1:{self.port}"

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        """A new connection; whoever uses it closes it."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS, (source, 0))

    def say(self, *parts: bytes) -> bytes:
        """Send bytes over a connection of their own and read until the service closes it."""
        with self.connect() as connection:
            # It may be closed before all is sent; what was answered can be read all the same.
            with suppress(ConnectionError):
                for part in parts:
                    connection.sendall(part)
            return read_all(connection)

    def set_limits(self, **changes: float) -> None:
        """Change what the service waits for from now on."""
        protocol: Any = self.server.config.http
        protocol.limits = replace(protocol.limits, **changes)

    def closed(self, why: str) -> float:
        """How many connections were closed for a reason."""
        name = "maskwatch_closed_connections_total"
        return self.service.metrics.registry.get_sample_value(name, {"why": why}) or 0.0

    @property
    def connections(self) -> int:
        """How many are open, as the server sees it."""
        return len(self.server.server_state.connections)


Serve = Callable[..., Served]
Encode = Callable[..., bytes]


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes the connection, in whichever way."""
    received = b""
    try:
        while data := connection.recv(65_536):
            received += data
    except ConnectionResetError:
        pass
    return received


def part(disposition: bytes, content: bytes, *headers: bytes) -> bytes:
    """One part of a form with the boundary ``b``."""
    lines = (b"--b", b"Content-Disposition: " + disposition, *headers, b"", content, b"")
    return b"\r\n".join(lines)


def block(service: Service, value: str, scope: Scope = Scope.CLIENT) -> None:
    """Block a client, or the exact picture with a SHA-256, and wait until that holds."""
    now = datetime.now(UTC)
    decision = NewDecision(
        kind=Kind.BLOCK,
        scope=scope,
        value=value,
        scenario="by_hand",
        origin="analyst",
        reason="A test.",
        created_by="tester",
        until=now + timedelta(minutes=5),
    )
    with service.database.write() as session:
        add_decision(session, decision, now)
    wait_for(lambda: service.access.current.is_blocked(datetime.now(UTC), (value,), value))


def post(
    client: TestClient,
    data: bytes,
    accept: str = "*/*",
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """Send one upload."""
    files = {"file": ("a.png", data, "image/png")}
    return client.post("/v1/parse", files=files, headers={"Accept": accept, **headers})


def stored_row(service: Service, request_id: str) -> RequestRow:
    """The record of a request."""
    with service.database.read() as session:
        return session.scalars(select(RequestRow).where(RequestRow.request_id == request_id)).one()


@pytest.fixture
def serve(settings: ServiceSettings) -> Iterator[Serve]:
    """Starts services: ``serve(header_seconds=1)``."""
    with ExitStack() as stack:

        def started(**changes: object) -> Served:
            service = build_service(settings.model_copy(update=changes))
            stack.enter_context(closing(service))
            return stack.enter_context(serving(service))

        yield started


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Served]:
    """A service for tests that leave it as it was; it answers as often as it is asked."""
    settings = make_settings(tmp_path_factory.mktemp("shared"), sqlite_template)
    unlimited = settings.model_copy(update={"rate_per_second": 0})
    with closing(build_service(unlimited)) as service, serving(service) as served:
        yield served


@contextmanager
def serving(service: Service) -> Iterator[Served]:
    """A service behind a port of loopback, for as long as the context lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(server_config(service))
        thread = Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            wait_for(lambda: server.started)
            yield Served(service, server, listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()

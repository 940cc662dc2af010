"""Peers of the dashboard that are slow, silent or many; and a tab that stays open beside them."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.dashboard.browser.conftest import PATIENCE_MS, Running, run_day
from tests.dashboard.made_up_day import Sample
from tests.waiting import PATIENCE_SECONDS

HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: a"
BODY = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\na"
UPGRADE = (
    b"GET /_stcore/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OUFCQ0RFRg==\r\n\r\n"
)
_MOST = 60
# A browser on a busy machine has its request ready in that time.
_HEADER_SECONDS = 4
# Of so long each: together they last longer than a body may.
_ROUNDS = 2

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def impatient(
    filled_folder: tuple[Path, Sample], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """A dashboard that waits for nobody for longer than some seconds."""
    limits = {"header_seconds": str(_HEADER_SECONDS), "body_seconds": "1", "idle_seconds": "1"}
    folder = tmp_path_factory.mktemp("impatient") / "var"
    with run_day(filled_folder, folder, **limits, max_connections=str(_MOST)) as opened:
        yield opened


def _connect(running: Running, start: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE_SECONDS)
    connection.sendall(start)
    return connection


def _read_all(connection: socket.socket) -> bytes:
    received = b""
    try:
        while data := connection.recv(65_536):
            received += data
    except ConnectionResetError:
        pass
    return received


@pytest.mark.parametrize("start", [b"", HALF])
def test_idle_peers_and_half_headers_are_closed(impatient: Running, start: bytes) -> None:
    with ExitStack() as stack:
        opened = [stack.enter_context(_connect(impatient, start)) for _ in range(50)]
        assert [_read_all(connection) for connection in opened] == [b""] * 50


@pytest.mark.parametrize(
    ("start", "status"),
    [
        (BODY, b"405"),
        (UPGRADE, b"403"),
        (UPGRADE.replace(b"GET", b"POST"), b"401"),
        (UPGRADE.replace(b"Host", b"Content-Length: 10\r\nHost"), b"401"),
        (UPGRADE.replace(b"Host", b"X: y\r\n" * 300 + b"Host"), b"400"),
        (UPGRADE.replace(b"Host", b"X: " + b"y" * 9_000 + b"\r\nHost"), b"400"),
        (UPGRADE.replace(b"stream", b"s" * 9_000), b"400"),
    ],
    ids=["body", "upgrade", "posted", "with a body", "many headers", "long header", "long path"],
)
def test_whoever_gets_an_answer_and_stays_is_closed(
    impatient: Running, start: bytes, status: bytes
) -> None:
    with _connect(impatient, start) as connection:
        assert _read_all(connection).startswith(b"HTTP/1.1 " + status)


def test_one_too_many_is_closed_at_once(impatient: Running) -> None:
    with ExitStack() as stack:
        for _ in range(_MOST):
            stack.enter_context(_connect(impatient, HALF))
        with _connect(impatient) as connection:
            assert _read_all(connection) == b""


def test_a_tab_outlives_the_limits(impatient: Running, open_tab: Callable[[], Page]) -> None:
    """Its websocket is no request that takes too long."""
    closed: list[str] = []

    def watch(websocket: WebSocket) -> None:
        websocket.on("close", lambda each: closed.append(each.url))

    page = open_tab()
    page.on("websocket", watch)
    page.goto(impatient.new_link())
    expect(page.get_by_text("Requests in 24 hours", exact=True)).to_be_visible()
    for _ in range(_ROUNDS):
        with _connect(impatient) as connection:
            assert _read_all(connection) == b""
    page.get_by_role("radio", name="1 hour").or_(
        page.get_by_role("button", name="1 hour")
    ).first.click()
    expect(page.get_by_text("Requests in 1 hour", exact=True)).to_be_visible()
    assert closed == []

"""Who may open a WebSocket through a proxy, and what is recorded of it."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from websockets.exceptions import InvalidStatus

from inference.service import Service
from store.people.api_keys import add_key
from store.people.key_scopes import KeyScope
from tests.inference.http.conftest import block
from tests.inference.http.proxy.conftest import WAIT_SECONDS, Attach, Attached
from tests.web_sockets import open_websocket, say_again, serve_websockets


@pytest.fixture
def echo() -> Iterator[str]:
    """The URL of a service that says again what it is told."""
    with serve_websockets(say_again) as port:
        yield f"http://127.0.0.1:{port}"


def _say(attached: Attached, text: str, key: str = "") -> str | int:
    """What is said again, or the status of a WebSocket that is not opened."""
    url = attached.url.replace("http:", "ws:") + "/ws"
    headers = {"Authorization": f"Bearer {key}"} if key else None
    try:
        with open_websocket(url, additional_headers=headers) as connection:
            connection.send(text)
            return str(connection.recv(WAIT_SECONDS))
    except InvalidStatus as error:
        return error.response.status_code


def _add_key(service: Service) -> str:
    with service.database.write() as session:
        secret = add_key(session, "acme", "ada", datetime.now(UTC), [KeyScope.PARSE])
    service.access.refresh()
    return secret


def test_a_websocket_at_an_unknown_route_is_flagged(attach: Attach, echo: str) -> None:
    attached = attach(upstream=echo)
    assert _say(attached, "hello") == "hello"
    (row,) = attached.rows(1)
    assert (row.verdict, row.status, row.reasons) == ("flag", 101, ["ungated_route"])


def test_a_websocket_at_an_unknown_route_is_refused_when_enforcing(
    attach: Attach, echo: str
) -> None:
    assert _say(attach(upstream=echo, mode="enforce"), "hello") == 403


def test_a_websocket_needs_a_key_where_requests_do(attach: Attach, echo: str) -> None:
    attached = attach(upstream=echo, require_api_key=True)
    key = _add_key(attached.proxy.service)
    assert _say(attached, "hello") == 403
    assert _say(attached, "hello", f"{key}x") == 403
    assert _say(attached, "hello", key) == "hello"
    assert [row.client for row in attached.rows(1)] == ["key:acme"]


def test_a_block_of_a_key_holds_for_its_websockets(attach: Attach, echo: str) -> None:
    attached = attach(upstream=echo)
    key = _add_key(attached.proxy.service)
    block(attached.proxy.service, "key:acme")
    assert _say(attached, "hello", key) == 403
    assert _say(attached, "hello", "the-upstream-s-own") == "hello"


@pytest.mark.parametrize("mode", ["monitor", "enforce"])
def test_a_websocket_whose_target_names_a_host_is_refused(
    attach: Attach, echo: str, mode: str
) -> None:
    attached = attach(upstream=echo, mode=mode)
    handshake = (
        "GET http://elsewhere/ws HTTP/1.1\r\nHost: elsewhere\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    port = int(attached.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), WAIT_SECONDS) as connection:
        connection.sendall(handshake.encode())
        assert connection.recv(12) == b"HTTP/1.1 403"
    assert attached.rows(0) == []

"""Which hosts and origins are the dashboard's own, and what every answer tells the browser."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import Message
from starlette.websockets import WebSocketDisconnect

from dashboard.access.guard import HostCheck, protection
from dashboard.access.sign_in import sign_in_routes
from dashboard.server import new_link
from dashboard.wiring import Parts
from tests.dashboard.access.door.signing import BASE, STREAM, make_link, serve_stream

# Each names this machine, and more than a host.
ODD_HOSTS = (
    "evil@127.0.0.1:8501",
    "127.0.0.1:8501/evil",
    "127.0.0.1?evil",
    "127.0.0.1#evil",
    "127.0.0.1:8501, evil.example",
    "127.0.0.1:",
    "127.0.0.1:0",
    "127.0.0.1:x",
    "localhost.",
)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8501", "", "[", "a@b", *ODD_HOSTS]
)
def test_other_host_names_are_refused(browser: TestClient, parts: Parts, host: str) -> None:
    browser.get(make_link(parts))
    answer = browser.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert browser.get(make_link(parts), headers={"Host": host}).status_code == 421


def test_loopback_names_and_forwarded_ports_are_accepted(browser: TestClient, parts: Parts) -> None:
    browser.get(make_link(parts))
    assert browser.get("/", headers={"Host": "localhost:9000"}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://127.0.0.1:8501",
        "file://127.0.0.1:8501",
        "chrome-extension://127.0.0.1:8501",
        "moz-extension://127.0.0.1:8501",
        "ftp://127.0.0.1:8501",
        "http://127.0.0.1:8502",
        "http://127.0.0.1",
        "http://localhost:8501",
        "http://evil@127.0.0.1:8501",
        "http://127.0.0.1:8501.evil.example",
        "http://127.0.0.1.:8501",
        "http://127.0.0.1:8501/",
        "http://127.0.0.1:08501",
        "http://[127.0.0.1]:8501",
        "http://127.0.0.1:8501, https://evil.example",
        "blob:http://127.0.0.1:8501",
        "http://127.0.0.1:x",
        "//127.0.0.1:8501",
        "127.0.0.1:8501",
        "null",
        "",
        None,
    ],
)
def test_websockets_from_other_origins_are_refused(
    browser: TestClient, parts: Parts, origin: str | None
) -> None:
    browser.get(make_link(parts))
    headers = {} if origin is None else {"Origin": origin}
    assert _close_code(browser, STREAM, headers) == 1008


@pytest.mark.parametrize("other", ["https://evil.example", BASE])
def test_several_origins_are_none(parts: Parts, other: str) -> None:
    lines = [("Host", "127.0.0.1:8501"), ("Origin", BASE), ("Origin", other)]
    headers = [(name.lower().encode(), value.encode()) for name, value in lines]
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/_stcore/stream", "headers": headers}
    asyncio.run(HostCheck(Starlette(), parts=parts)(scope, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("port", [":0", ":"])
def test_a_port_that_nobody_listens_at_is_not_the_default_one(parts: Parts, port: str) -> None:
    settings = parts.settings.model_copy(update={"dashboard_url": "http://maskwatch.example"})
    app = Starlette(
        routes=[WebSocketRoute("/_stcore/stream", serve_stream)],
        middleware=[Middleware(HostCheck, parts=Parts(settings, parts.database, parts.clock))],
    )
    stream = "ws://maskwatch.example/_stcore/stream"
    with TestClient(app) as client:
        headers = {"Host": "maskwatch.example", "Origin": "http://maskwatch.example"}
        assert _opens(client, stream, headers)
        foreign = {**headers, "Origin": f"http://maskwatch.example{port}"}
        assert _close_code(client, stream, foreign) == 1008


def _close_code(browser: TestClient, address: str, headers: dict[str, str]) -> int:
    """With what a websocket is refused."""
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        browser.websocket_connect(address, headers=headers),
    ):
        pass
    return refused.value.code


def _opens(browser: TestClient, address: str, headers: dict[str, str]) -> bool:
    with browser.websocket_connect(address, headers=headers) as websocket:
        return websocket.receive_text() == "open"


def test_a_forwarded_port_is_its_own_origin(browser: TestClient, parts: Parts) -> None:
    browser.get(make_link(parts))
    for host in ("localhost:9000", "127.0.0.1:9000", "[::1]:9000"):
        headers = {"Host": host, "Origin": f"http://{host}"}
        assert _opens(browser, STREAM, headers)
        assert _close_code(browser, STREAM, {**headers, "Origin": f"https://{host}"}) == 1008


@pytest.mark.parametrize("address", ["https://maskwatch.example", "https://maskwatch.example:443"])
@pytest.mark.parametrize("host", ["maskwatch.example", "maskwatch.example:443", "127.0.0.1:8501"])
def test_behind_a_proxy_with_tls_its_address_is_the_origin(
    parts: Parts, address: str, host: str
) -> None:
    """Whether the proxy passes the browser's Host on or not."""
    settings = parts.settings.model_copy(update={"dashboard_url": address})
    secured = Parts(settings, parts.database, parts.clock)
    routes = [*sign_in_routes(secured), WebSocketRoute("/_stcore/stream", serve_stream)]
    app = Starlette(routes=routes, middleware=protection(secured))
    stream = "wss://maskwatch.example/_stcore/stream"
    with TestClient(app, base_url="https://maskwatch.example", follow_redirects=False) as client:
        client.get(new_link(settings, parts.database, parts.clock()))
        headers = {"Host": host, "Origin": "https://maskwatch.example"}
        assert _opens(client, stream, headers)
        for foreign in ("http://maskwatch.example", "https://maskwatch.example:8443"):
            assert _close_code(client, stream, {**headers, "Origin": foreign}) == 1008


def test_every_answer_carries_the_security_headers(browser: TestClient, parts: Parts) -> None:
    refused = browser.get("/")
    redirect = browser.get(make_link(parts))
    for answer in (refused, redirect, browser.get("/")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]

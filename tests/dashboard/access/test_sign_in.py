"""The door: who gets in, how, and where they end up. Streamlit is not needed for this."""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.access.guard import HostCheck, protection
from dashboard.access.sign_in import local_path, sign_in_routes
from dashboard.server import new_link
from dashboard.settings import DashboardSettings
from dashboard.wiring import Parts
from store.engine.database import Database

BASE = "http://127.0.0.1:8501"
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
STREAM = "ws://127.0.0.1:8501/_stcore/stream"


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


async def _page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"page {request.url.path}")


async def _stream(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("open")
    await websocket.close()


@pytest.fixture
def clock(fixed_now: datetime) -> Clock:
    return Clock(fixed_now)


@pytest.fixture
def parts(tmp_path: Path, sqlite_template: Path, clock: Clock) -> Iterator[Parts]:
    shutil.copy(sqlite_template, tmp_path / "maskwatch.db")
    settings = DashboardSettings(var_dir=tmp_path)
    made = Parts(settings, Database.open(settings), clock)
    yield made
    made.database.close()


@pytest.fixture
def browser(parts: Parts) -> Iterator[TestClient]:
    routes = [
        *sign_in_routes(parts),
        WebSocketRoute("/_stcore/stream", _stream),
        Route("/{path:path}", _page),
    ]
    app = Starlette(routes=routes, middleware=protection(parts))
    with TestClient(app, base_url=BASE, follow_redirects=False) as client:
        yield client


def _link(parts: Parts, suffix: str = "") -> str:
    link = new_link(parts.settings, parts.database, parts.clock())
    return link.removeprefix(BASE) + suffix


@pytest.mark.parametrize("path", ["/", "/alerts?alert=1", "/static/js/index.js", "/_stcore/health"])
def test_without_a_session_everything_is_refused(browser: TestClient, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 401
    assert "maskwatch dashboard-link" in answer.text
    assert "page" not in answer.text


def test_without_a_session_the_websocket_is_closed(browser: TestClient) -> None:
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        browser.websocket_connect(STREAM, headers={"Origin": BASE}),
    ):
        pass
    assert refused.value.code == 4401


def test_a_link_signs_in_once(browser: TestClient, parts: Parts) -> None:
    link = _link(parts)
    answer = browser.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/traffic").text == "page /traffic"
    browser.cookies.clear()
    assert browser.get(link).status_code == 401


def test_the_same_link_again_is_harmless_for_the_browser_it_signed_in(
    browser: TestClient, parts: Parts
) -> None:
    link = _link(parts)
    browser.get(link)
    assert browser.get(link).status_code == 303


def test_a_preview_with_head_does_not_use_the_link_up(browser: TestClient, parts: Parts) -> None:
    link = _link(parts)
    assert browser.head(link).status_code == 204
    assert browser.get(link).status_code == 303


def test_head_says_whether_a_link_would_open_the_dashboard(
    browser: TestClient, parts: Parts
) -> None:
    link = _link(parts)
    browser.get(link)
    assert browser.head(link).status_code == 401
    assert browser.head("/sign-in?token=guessed").status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    browser: TestClient, parts: Parts
) -> None:
    cookie = browser.get(_link(parts)).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "secure" not in cookie


def test_behind_https_the_cookie_is_secure(parts: Parts) -> None:
    settings = parts.settings.model_copy(update={"dashboard_url": "https://maskwatch.example"})
    secured = Parts(settings, parts.database, parts.clock)
    app = Starlette(routes=sign_in_routes(secured), middleware=protection(secured))
    with TestClient(app, base_url="https://maskwatch.example", follow_redirects=False) as client:
        link = new_link(settings, parts.database, parts.clock())
        assert "secure" in client.get(link).headers["set-cookie"].lower()


def test_an_old_link_does_not_work(browser: TestClient, parts: Parts, clock: Clock) -> None:
    link = _link(parts)
    clock.now += timedelta(minutes=15)
    answer = browser.get(link)
    assert answer.status_code == 401
    assert "does not work any more" in answer.text


def test_a_session_ends(browser: TestClient, parts: Parts, clock: Clock) -> None:
    browser.get(_link(parts))
    clock.now += timedelta(hours=8)
    assert browser.get("/").status_code == 401


def test_signing_out_ends_the_session_itself(browser: TestClient, parts: Parts) -> None:
    browser.get(_link(parts))
    secret = browser.cookies["maskwatch_session"]
    assert browser.get("/sign-out").status_code == 200
    browser.cookies.set("maskwatch_session", secret)
    assert browser.get("/").status_code == 401


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "evil.example",
        "/sign-out",
    ],
)
def test_after_signing_in_nobody_is_sent_elsewhere(
    browser: TestClient, parts: Parts, wanted: str
) -> None:
    answer = browser.get(_link(parts), params={"token": _token(parts), "next": wanted})
    assert answer.headers["location"] == "/"
    assert local_path(wanted) == "/"


def _token(parts: Parts) -> str:
    return _link(parts).partition("token=")[2]


def test_a_mail_link_is_remembered_until_after_the_sign_in(
    browser: TestClient, parts: Parts
) -> None:
    browser.get("/alerts?alert=3", headers={"Accept": "text/html"})
    assert browser.get(_link(parts)).headers["location"] == "/alerts?alert=3"


def test_next_names_the_page(browser: TestClient, parts: Parts) -> None:
    answer = browser.get(_link(parts, "&next=%2Frequest%3Fid%3Dabc"))
    assert answer.headers["location"] == "/request?id=abc"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8501", "", "[", "a@b", *ODD_HOSTS]
)
def test_other_host_names_are_refused(browser: TestClient, parts: Parts, host: str) -> None:
    browser.get(_link(parts))
    answer = browser.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert browser.get(_link(parts), headers={"Host": host}).status_code == 421


def test_loopback_names_and_forwarded_ports_are_accepted(browser: TestClient, parts: Parts) -> None:
    browser.get(_link(parts))
    assert browser.get("/", headers={"Host": "localhost:9000"}).status_code == 200


def test_a_signed_in_browser_gets_its_websocket(browser: TestClient, parts: Parts) -> None:
    browser.get(_link(parts))
    with browser.websocket_connect(STREAM, headers={"Origin": BASE}) as websocket:
        assert websocket.receive_text() == "open"


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
    browser.get(_link(parts))
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
        routes=[WebSocketRoute("/_stcore/stream", _stream)],
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
    browser.get(_link(parts))
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
    routes = [*sign_in_routes(secured), WebSocketRoute("/_stcore/stream", _stream)]
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
    redirect = browser.get(_link(parts))
    for answer in (refused, redirect, browser.get("/")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_a_broken_database_is_said_in_a_sentence(tmp_path: Path, fixed_now: datetime) -> None:
    settings = DashboardSettings(var_dir=tmp_path)
    parts = Parts(settings, Database.open(settings), lambda: fixed_now)
    app = Starlette(routes=sign_in_routes(parts), middleware=protection(parts))
    with TestClient(app, base_url=BASE) as client:
        client.cookies.set("maskwatch_session", "x")
        for path in ("/", "/sign-in?token=x"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert "maskwatch db upgrade" in answer.text
    parts.database.close()

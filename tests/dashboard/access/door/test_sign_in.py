"""Who gets in, how, and for how long."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from dashboard.access.guard import protection
from dashboard.access.sign_in import sign_in_routes
from dashboard.server import new_link
from dashboard.settings import DashboardSettings
from dashboard.wiring import Parts
from store.engine.database import Database
from tests.dashboard.access.door.signing import BASE, STREAM, Clock, make_link


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
    link = make_link(parts)
    answer = browser.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/traffic").text == "page /traffic"
    browser.cookies.clear()
    assert browser.get(link).status_code == 401


def test_the_same_link_again_is_harmless_for_the_browser_it_signed_in(
    browser: TestClient, parts: Parts
) -> None:
    link = make_link(parts)
    browser.get(link)
    assert browser.get(link).status_code == 303


def test_a_preview_with_head_does_not_use_the_link_up(browser: TestClient, parts: Parts) -> None:
    link = make_link(parts)
    assert browser.head(link).status_code == 204
    assert browser.get(link).status_code == 303


def test_head_says_whether_a_link_would_open_the_dashboard(
    browser: TestClient, parts: Parts
) -> None:
    link = make_link(parts)
    browser.get(link)
    assert browser.head(link).status_code == 401
    assert browser.head("/sign-in?token=guessed").status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    browser: TestClient, parts: Parts
) -> None:
    cookie = browser.get(make_link(parts)).headers["set-cookie"].lower()
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
    link = make_link(parts)
    clock.now += timedelta(minutes=15)
    answer = browser.get(link)
    assert answer.status_code == 401
    assert "does not work any more" in answer.text


def test_a_session_ends(browser: TestClient, parts: Parts, clock: Clock) -> None:
    browser.get(make_link(parts))
    clock.now += timedelta(hours=8)
    assert browser.get("/").status_code == 401


def test_signing_out_ends_the_session_itself(browser: TestClient, parts: Parts) -> None:
    browser.get(make_link(parts))
    secret = browser.cookies["maskwatch_session"]
    assert browser.get("/sign-out").status_code == 200
    browser.cookies.set("maskwatch_session", secret)
    assert browser.get("/").status_code == 401


def test_a_signed_in_browser_gets_its_websocket(browser: TestClient, parts: Parts) -> None:
    browser.get(make_link(parts))
    with browser.websocket_connect(STREAM, headers={"Origin": BASE}) as websocket:
        assert websocket.receive_text() == "open"


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

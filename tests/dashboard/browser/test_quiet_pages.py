"""What a page asks for comes from the dashboard alone, and the browser complains of nothing."""

from collections.abc import Callable
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import ConsoleMessage, Page, Response, expect

from tests.dashboard.browser.conftest import PATIENCE_MS, Running

expect.set_options(timeout=PATIENCE_MS)


_PAGES = ("Alerts", "Families", "Outliers", "Traffic", "Request", "Blacklist", "Audit", "Overview")


class Watch:
    """What a tab asked for in vain or elsewhere, and what its console says."""

    def __init__(self, page: Page, url: str) -> None:
        self.complaints: list[str] = []
        self._here = urlsplit(url).netloc
        page.on("request", lambda request: self._see_address(request.url))
        page.on("websocket", lambda websocket: self._see_address(websocket.url))
        page.on("response", self._see_answer)
        page.on("requestfailed", lambda request: self._complain("failed", request.url))
        page.on("console", self._see_message)
        page.on("pageerror", lambda error: self._complain("error", str(error)))

    def _complain(self, *what: str) -> None:
        self.complaints.append(" ".join(what))

    def _see_address(self, url: str) -> None:
        if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != self._here:
            self._complain("elsewhere", url)

    def _see_answer(self, response: Response) -> None:
        if response.status >= 400:
            self._complain(str(response.status), response.url)

    def _see_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complain(message.type, message.text)


def _open(page: Page, address: str) -> None:
    """Go there and wait until the page is drawn and asks for nothing more."""
    page.goto(address)
    expect(page.locator(".mw-head h1")).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/alerts", "/traffic", "/request?id={flagged}", "/blacklist", "/audit", "/families"),
        "/outliers",
        *("/request", "/request?id=none", "/traffic?reason=moon", "/families?family=99"),
        *("/alerts?alert=1", "/?window=30d", "/traffic?client=198.51.100.7"),
    ],
)
def test_a_page_asks_nobody_else_and_for_nothing_in_vain(
    running: Running, open_tab: Callable[[], Page], path: str
) -> None:
    page = open_tab()
    watch = Watch(page, running.url)
    wanted = quote(path.format(flagged=running.sample.flagged))
    _open(page, f"{running.new_link()}&next={wanted}")
    assert watch.complaints == []


def test_the_navigation_leads_to_every_page(running: Running, open_tab: Callable[[], Page]) -> None:
    page = open_tab()
    watch = Watch(page, running.url)
    _open(page, running.new_link())
    for name in _PAGES:
        page.get_by_test_id("stSidebar").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        expect(page).to_have_title(f"{name} · Maskwatch")
    assert watch.complaints == []


def test_dialogs_and_dark_colours_ask_nobody_else(
    running: Running, open_tab: Callable[[], Page]
) -> None:
    page = open_tab()
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    watch = Watch(page, running.url)
    _open(page, f"{running.new_link()}&next=/blacklist")
    page.get_by_role("button", name="New decision").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert watch.complaints == []


def test_whoever_is_signed_out_asks_for_one_page_alone(
    running: Running, open_tab: Callable[[], Page]
) -> None:
    page = open_tab()
    watch = Watch(page, running.url)
    page.goto(f"{running.url}/traffic")
    page.wait_for_load_state("networkidle")
    # The page, and what the browser says of it; an icon that is asked for in vain would be a third.
    assert len(watch.complaints) == 2
    assert f"401 {running.url}/traffic" in watch.complaints

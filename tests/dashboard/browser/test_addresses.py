"""The address of a page in a real browser, which keeps codes while people choose and walk about."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from tests.dashboard.browser.conftest import PATIENCE_MS, Running

expect.set_options(timeout=PATIENCE_MS)
_ASKED = "traffic%3Freason=skin_share_too_low%26window=7d"


_CODES = {"reason": ["skin_share_too_low"], "window": ["7d"], "verdict": ["flag"]}


def _wait_for_codes(page: Page) -> None:
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query) == _CODES, timeout=PATIENCE_MS)


def test_codes_stay_in_the_address_while_filters_change_and_pages_too(
    running: Running, open_tab: Callable[[], Page]
) -> None:
    page = open_tab()
    page.goto(f"{running.new_link()}&next=/{_ASKED}")
    expect(page.get_by_text("7 requests, from")).to_be_visible()
    page.get_by_role("radio", name="Flag").or_(page.get_by_role("button", name="Flag")).click()
    _wait_for_codes(page)
    page.get_by_role("link", name="Alerts").click()
    expect(page.get_by_role("heading", name="Alerts")).to_be_visible()
    page.get_by_role("link", name="Traffic").click()
    _wait_for_codes(page)
    expect(page.get_by_text("than its address asks for")).to_have_count(0)
    page.reload()
    expect(page.get_by_text("7 requests, from")).to_be_visible()
    _wait_for_codes(page)

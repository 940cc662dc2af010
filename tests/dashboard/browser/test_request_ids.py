"""Ids of requests in lists: their beginnings are times, so only their ends tell them apart."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from store.requests.record_store import add_record
from store.requests.request_ids import new_request_id
from tests.dashboard.browser.conftest import PATIENCE_MS, Running
from tests.dashboard.test_traffic_page import refused

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def ids(running: Running) -> list[str]:
    """Of three requests that came within a second."""
    now = running.parts.clock()
    made = [new_request_id(now + timedelta(milliseconds=number)) for number in range(3)]
    with running.parts.database.write() as session:
        for request_id in made:
            add_record(session, refused(running.parts, "ip:198.51.100.5", request_id))
    return made


def test_ids_of_one_second_can_be_told_apart_hovered_and_copied(
    running: Running, open_tab: Callable[[], Page], ids: list[str]
) -> None:
    page = open_tab()
    page.goto(running.new_link() + "&next=/traffic%3Fclient=198.51.100.5")
    links = page.locator(".mw-table a[href*='/request']")
    expect(links).to_have_count(3)
    # Rows may be there before the style sheet that shortens their ids.
    for beginning in page.locator(".mw-table .mw-id i").all():
        expect(beginning).to_have_css("font-size", "0px")
    shown = {_text_of_size(page, request_id) for request_id in ids}
    assert shown == {request_id.rpartition("-")[2] for request_id in ids}
    for request_id in ids:
        expect(page.locator(f"[title='{request_id}']")).to_be_visible()
        assert _copied(page, request_id) == request_id


def _text_of_size(page: Page, request_id: str) -> str:
    """What people see of an id."""
    text: str = page.locator(f"[title='{request_id}']").evaluate(
        """id => [...id.childNodes]
            .filter(each => parseFloat(getComputedStyle(each.tagName ? each : id).fontSize) > 0)
            .map(each => each.textContent).join("")"""
    )
    return text


def _copied(page: Page, request_id: str) -> str:
    """What is copied when somebody selects an id."""
    text: str = page.locator(f"[title='{request_id}']").evaluate(
        """id => {
            getSelection().selectAllChildren(id)
            return getSelection().toString()
        }"""
    )
    return text.strip()

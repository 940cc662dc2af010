"""From an uploaded picture to a blocked attacker, a mail and a dashboard, in a real browser."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Demo

pytestmark = pytest.mark.timeout(900)


def test_the_demo_sees_every_fact_that_it_promises(demo: Demo) -> None:
    assert demo.said.count("✓") >= 10
    assert "✗" not in demo.said, demo.said
    assert "Traceback" not in demo.said


def test_an_analyst_finds_the_alert_and_revokes_a_block(demo: Demo, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    page.goto(demo.link)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    page.get_by_role("link", name="Alerts").first.click()
    expect(page.get_by_text(re.compile("invalid share", re.IGNORECASE)).first).to_be_visible()

    page.get_by_role("link", name="Blacklist").first.click()
    revoke = page.get_by_role("button", name="Revoke")
    revoke.first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why is it revoked?").fill("It was our own scanner.")
    dialog.get_by_role("button", name="Revoke").click()
    done = page.get_by_text(re.compile(r"The block of ip:\S+ is revoked"))
    client = re.search(r"ip:\S+", done.inner_text())
    assert client
    # By name, not by number: the jobs go on and may block somebody else meanwhile.
    expect(page.locator(".st-key-active-decisions")).not_to_contain_text(client[0])
    page.close()


def test_a_link_opens_the_dashboard_once(demo: Demo, browser: Browser) -> None:
    stranger = browser.new_context()
    page = stranger.new_page()
    answer = page.goto(demo.link)
    assert answer is not None
    assert answer.status == 401
    stranger.close()

"""A tab that stays open after its browser signed out in another one."""

from collections.abc import Callable

from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from store.tables.work_tables import DecisionRow
from tests.dashboard.browser.conftest import PATIENCE_MS, Running

expect.set_options(timeout=PATIENCE_MS)


def _decisions(running: Running) -> tuple[int, int]:
    """How many decisions there are, and how many of them are revoked."""
    with running.parts.database.read() as session:
        row = session.execute(
            select(func.count(DecisionRow.id), func.count(DecisionRow.revoked_at))
        ).one()
        return row[0], row[1]


def _sign_out(open_tab: Callable[[], Page], running: Running) -> None:
    other = open_tab()
    other.goto(f"{running.url}/sign-out")
    expect(other.get_by_role("heading", name="You are signed out")).to_be_visible()


def test_an_open_dialog_makes_no_decision(running: Running, open_tab: Callable[[], Page]) -> None:
    before = _decisions(running)
    page = open_tab()
    page.goto(running.new_link() + "&next=/blacklist")
    page.get_by_role("button", name="New decision").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Client, key, network, or the picture's hash").fill("198.51.100.77")
    dialog.get_by_label("Why?").fill("Written after the sign-out.")
    _sign_out(open_tab, running)
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your session is over").first).to_be_visible()
    assert _decisions(running) == before


def test_an_open_dialog_revokes_nothing(running: Running, open_tab: Callable[[], Page]) -> None:
    before = _decisions(running)
    page = open_tab()
    page.goto(running.new_link() + "&next=/blacklist")
    page.get_by_role("button", name="Revoke").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why is it revoked?").fill("Written after the sign-out.")
    _sign_out(open_tab, running)
    dialog.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("Your session is over").first).to_be_visible()
    assert _decisions(running) == before

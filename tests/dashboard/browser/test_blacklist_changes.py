"""Dialogs of the blacklist page, in a browser: a proposal is answered, a scenario turned on."""

from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Page, expect

from store.decisions.decisions import add_decision
from store.decisions.proposals import list_open_proposals, propose
from store.decisions.scenarios import read_switches
from store.decisions.scopes import Scope
from tests.dashboard.browser.conftest import PATIENCE_MS, Running
from tests.makers import make_decision

expect.set_options(timeout=PATIENCE_MS)


def _prepare(running: Running) -> None:
    now = running.parts.clock()
    until = now + timedelta(hours=1)
    network = make_decision(
        scope=Scope.NETWORK,
        value="203.0.113.0/24",
        scenario="attacking_network",
        reason="3 blocked clients of the 4 that the network had in a day, 75 %.",
        simulated=True,
        until=until,
        evidence={"clients": ["ip:203.0.113.7", "ip:203.0.113.8"], "active_clients": 4},
    )
    limit = "Automatic blocks would hit 3 clients of the 100 of a day; the limit is 2."
    with running.parts.database.write() as session:
        add_decision(session, network, now)
        propose(session, make_decision(value="ip:192.0.2.77", until=until), limit, now)


def test_a_proposal_is_accepted_and_a_scenario_turned_on(
    running: Running, open_tab: Callable[[], Page]
) -> None:
    _prepare(running)
    page = open_tab()
    page.goto(running.new_link() + "&next=/blacklist")
    page.get_by_role("button", name="Decide").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why?").fill("It attacks.")
    dialog.get_by_role("button", name="Block").click()
    expect(page.get_by_text("ip:192.0.2.77 is blocked.")).to_be_visible()
    row = page.locator(".st-key-scenarios")
    row.get_by_role("button", name="Turn on").last.click()
    dialog.get_by_label("Why is it turned on?").fill("All of them attacked.")
    dialog.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("is on.").first).to_be_visible()
    with running.parts.database.read() as session:
        assert list_open_proposals(session, running.parts.clock()) == ()
        assert read_switches(session, simulates_all=True).enabled


def test_on_a_narrow_screen_every_word_to_press_can_be_read(
    running: Running, open_tab: Callable[[], Page]
) -> None:
    _prepare(running)
    page = open_tab()
    page.set_viewport_size({"width": 1300, "height": 900})
    page.goto(running.new_link() + "&next=/blacklist")
    for name in ("Revoke", "Turn on", "Decide"):
        words = page.get_by_role("button", name=name).first.locator("p")
        expect(words).to_be_visible()
        assert words.evaluate("each => each.scrollWidth <= each.clientWidth"), name
    page.get_by_role("button", name="New decision").click()
    dialog = page.get_by_role("dialog")
    last = dialog.get_by_text("Similar picture")
    expect(last).to_be_visible()
    right = dialog.get_by_role("button", name="Save").evaluate(
        "each => each.closest('form, [data-testid=stForm]').getBoundingClientRect().right"
    )
    assert last.evaluate("each => each.getBoundingClientRect().right") <= right

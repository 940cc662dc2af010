"""The page of decisions."""

from dataclasses import replace
from datetime import timedelta

from dashboard.wiring import Parts
from store.decisions.by_hand import decision_by_hand
from store.decisions.decisions import add_decision
from store.decisions.pictures.listed_patches import PATCHES, patch_evidence
from store.decisions.pictures.listed_perturbations import PERTURBATIONS, signature_evidence
from store.decisions.proposals import propose
from store.decisions.scenarios import enable_scenario, read_switches, report_simulations
from store.decisions.scopes import Kind, Scope
from tests.dashboard.conftest import Day
from tests.dashboard.opened import Signed, button_named, fine, html_of, open_page
from tests.makers import make_decision


def test_ended_decisions_go_on_on_another_page(nothing: Parts, signed_in: Signed) -> None:
    signed_in(nothing)
    ago = nothing.clock() - timedelta(days=1)
    with nothing.database.write() as session:
        for number in range(101):
            who = f"ip:198.51.100.{number}"
            new = decision_by_hand(
                kind=Kind.BLOCK,
                scope=Scope.CLIENT,
                value=who,
                minutes=1,
                reason="A test.",
                who="tester",
                simulated=False,
                now=ago,
            )
            add_decision(session, new, ago)
    at = open_page("blacklist")
    assert "198.51.100.0<" not in html_of(at)
    fine(button_named(at, "Older").click().run())
    assert "198.51.100.0<" in html_of(at)
    assert "198.51.100.1<" not in html_of(at)
    fine(button_named(at, "Newest").click().run())
    assert "198.51.100.1<" in html_of(at)


def test_a_blocked_patch_can_be_seen_and_revoked(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("blacklist")
    assert 'class="mw-thumb" src="data:image/png;base64,' in html_of(at)
    with day.parts.database.read() as session:
        [listed] = PATCHES.read_blocked(session, day.parts.clock())
    button = next(each for each in at.button if each.key == f"revoke-{listed.decision_id}")
    at = fine(button.click().run())
    # What it is made of is shown, not printed.
    assert "Correlation" in html_of(at)
    assert str(patch_evidence(listed.subject, listed.limit)["patch"]) not in html_of(at)


def test_a_blocked_perturbation_can_be_seen_and_revoked(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("blacklist")
    assert "The blocked perturbation" in html_of(at)
    with day.parts.database.read() as session:
        [listed] = PERTURBATIONS.read_blocked(session, day.parts.clock())
    button = next(each for each in at.button if each.key == f"revoke-{listed.decision_id}")
    at = fine(button.click().run())
    assert "Strength" in html_of(at)
    cells = signature_evidence(listed.subject, listed.limit)["signature"]
    assert str(cells) not in html_of(at)


def test_a_proposed_block_says_why_it_waits_and_what_led_to_it(
    nothing: Parts, signed_in: Signed
) -> None:
    signed_in(nothing)
    now = nothing.clock()
    new = make_decision(
        value="ip:203.0.113.7", until=now + timedelta(hours=1), evidence={"weight": 4.5}
    )
    with nothing.database.write() as session:
        propose(session, new, "The limit is 2.", now)
    at = open_page("blacklist")
    assert "The limit is 2." in html_of(at)
    at = fine(button_named(at, "Decide").click().run())
    assert "4.5" in html_of(at)


def test_a_simulated_scenario_says_whom_it_hits_before_it_is_on(
    nothing: Parts, signed_in: Signed
) -> None:
    signed_in(nothing)
    now = nothing.clock()
    block = make_decision(
        value="ip:203.0.113.7",
        scenario="crafted_pictures",
        simulated=True,
        until=now + timedelta(hours=1),
    )
    with nothing.database.write() as session:
        add_decision(session, block, now)
    at = open_page("blacklist")
    assert "Simulated scenarios" in html_of(at)
    before = html_of(at).count("203.0.113.7")
    at = fine(button_named(at, "Turn on").click().run())
    assert html_of(at).count("203.0.113.7") > before
    with nothing.database.write() as session:
        enable_scenario(session, "crafted_pictures", "ada", "Seen it.", "analyst:ada", now)
    assert "Simulated scenarios" not in html_of(open_page("blacklist"))


def test_the_switch_names_those_whose_simulated_blocks_hold_and_nobody_else(
    nothing: Parts, signed_in: Signed
) -> None:
    signed_in(nothing)
    now = nothing.clock()
    over = make_decision(
        value="ip:203.0.113.7",
        scenario="crafted_pictures",
        simulated=True,
        until=now - timedelta(hours=1),
    )
    held = replace(
        over,
        value="ip:203.0.113.8",
        scenario="hostile_files",
        until=now + timedelta(hours=1),
        evidence={"kinds": {"hostile": 3, "crafted": 3}},
    )
    with nothing.database.write() as session:
        add_decision(session, over, now - timedelta(hours=2))
    at = open_page("blacklist")
    before = html_of(at).count("203.0.113.7")
    at = fine(button_named(at, "Turn on").click().run())
    assert "nobody is hit at once" in html_of(at)
    assert html_of(at).count("203.0.113.7") == before
    with nothing.database.write() as session:
        add_decision(session, held, now)
        switches = read_switches(session, simulates_all=True)
        reports = report_simulations(session, switches, now, 7)
    assert {each.scenario: each.held for each in reports} == {
        "crafted_pictures": ("ip:203.0.113.8",),
        "hostile_files": ("ip:203.0.113.8",),
    }


def test_networks_and_similar_pictures_are_shown_as_such(nothing: Parts, signed_in: Signed) -> None:
    signed_in(nothing)
    now = nothing.clock()
    until = now + timedelta(hours=1)
    with nothing.database.write() as session:
        for scope, value in (
            (Scope.NETWORK, "203.0.113.0/24"),
            (Scope.SIMILAR, "ab" * 32 + "/12"),
        ):
            add_decision(session, make_decision(scope=scope, value=value, until=until), now)
    html = html_of(open_page("blacklist"))
    assert "203.0.113.0/24" in html
    assert "up to 12 bits" in html

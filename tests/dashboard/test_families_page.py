"""The page of the families, and the links to it."""

from datetime import timedelta

import pytest

from dashboard.wiring import Parts
from detectors.verdict import Verdict
from jobs.context import JobContext
from jobs.outliers import group_families
from jobs.settings import JobSettings
from store.decisions.decisions import add_decision
from store.families.feedback import Feedback, Said, judge_family
from store.requests.record_store import add_records
from store.tables.family_tables import FamilyRow
from tests.dashboard.opened import Signed, button_named, fine, html_of, open_page, request_ids
from tests.makers import make_decision, make_record

ATTACKER = "ip:203.0.113.7"


def _group(parts: Parts, client: str = ATTACKER, count: int = 3) -> list[str]:
    """Crafted pictures of one client, grouped; the ids of the requests."""
    records = [
        make_record(
            client=client,
            received_at=parts.clock() - timedelta(minutes=count - number),
            verdict=Verdict.FLAG,
            reasons=("adversarial_picture",),
        )
        for number in range(count)
    ]
    with parts.database.write() as session:
        add_records(session, records)
    settings = JobSettings(var_dir=parts.settings.store.var_dir)
    group_families.run(JobContext(parts.database, settings, parts.clock()))
    return [record.request_id for record in records]


def test_a_family_is_one_line_with_an_example(nothing: Parts, signed_in: Signed) -> None:
    ids = _group(nothing)
    signed_in(nothing)
    html = html_of(open_page("families"))
    assert f"3 crafted pictures of the client {ATTACKER}." in html
    assert "Growing" in html
    assert request_ids(html) == [ids[-1]]
    assert 'href="/families?id=1"' in html


def test_one_family_shows_what_belongs_to_it(nothing: Parts, signed_in: Signed) -> None:
    ids = _group(nothing)
    end = nothing.clock() + timedelta(hours=1)
    with nothing.database.write() as session:
        block = make_decision(family="1", until=end, reason="The family attacks.")
        add_decision(session, block, nothing.clock())
    signed_in(nothing)
    html = html_of(open_page("families", id="1"))
    assert "Family 1" in html
    assert set(request_ids(html)) == set(ids)
    assert "The family attacks." in html


def test_a_merged_family_opens_the_one_that_it_became_a_part_of(
    nothing: Parts, signed_in: Signed
) -> None:
    _group(nothing)
    _group(nothing, "ip:198.51.100.9")
    with nothing.database.write() as session:
        session.get_one(FamilyRow, 2).merged_into = 1
    signed_in(nothing)
    html = html_of(open_page("families", id="2"))
    assert "Family 2 became a part of it." in html
    assert html_of(open_page("families")).count('href="/families?id=') == 1


def test_a_number_that_no_family_has_is_said(nothing: Parts, signed_in: Signed) -> None:
    signed_in(nothing)
    for number in ("7", "x", "9" * 30, "-1"):
        assert "There is no such family" in html_of(open_page("families", id=number))


@pytest.mark.parametrize("number", ['"1"', "#1", " 1 "])
def test_a_number_is_read_as_somebody_copied_it(
    nothing: Parts, signed_in: Signed, number: str
) -> None:
    ids = _group(nothing)
    signed_in(nothing)
    assert set(request_ids(html_of(open_page("families", id=number)))) == set(ids)


def test_what_the_address_asks_for_in_vain_is_named(nothing: Parts, signed_in: Signed) -> None:
    signed_in(nothing)
    html = html_of(open_page("families", window="7d"))
    assert "This page shows something else than its address asks for" in html


def test_a_request_links_to_its_family(nothing: Parts, signed_in: Signed) -> None:
    first, *_ = _group(nothing)
    signed_in(nothing)
    assert 'href="/families?id=1"' in html_of(open_page("request", id=first))


def test_a_decision_links_to_its_family(nothing: Parts, signed_in: Signed) -> None:
    _group(nothing)
    with nothing.database.write() as session:
        block = make_decision(family="1", until=nothing.clock() + timedelta(hours=1))
        add_decision(session, block, nothing.clock())
    signed_in(nothing)
    assert 'href="/families?id=1"' in html_of(open_page("blacklist"))


def test_what_was_said_of_a_family_stands_on_its_page_and_those_of_its_requests(
    nothing: Parts, signed_in: Signed
) -> None:
    first, *_ = _group(nothing)
    said = Said(Feedback.CONFIRMED, "ada", "They all show one print.", "analyst:ada")
    with nothing.database.write() as session:
        judge_family(session, 1, said, nothing.clock())
    signed_in(nothing)
    for html in (html_of(open_page("families", id="1")), html_of(open_page("request", id=first))):
        assert "Confirmed by ada at" in html
        assert "They all show one print." in html


@pytest.mark.parametrize(
    ("feedback", "badge"),
    [(Feedback.CONFIRMED, "✕ Confirmed"), (Feedback.DISMISSED, "✓ Dismissed")],
)
def test_the_list_shows_which_families_were_judged(
    nothing: Parts, signed_in: Signed, feedback: Feedback, badge: str
) -> None:
    _group(nothing)
    _group(nothing, "ip:198.51.100.9")
    signed_in(nothing)
    assert badge not in html_of(open_page("families"))
    said = Said(feedback, "ada", "They all show one print.", "analyst:ada")
    with nothing.database.write() as session:
        judge_family(session, 1, said, nothing.clock())
    for query in ({}, {"id": "1"}):
        assert html_of(open_page("families", **query)).count(badge) == 1
    assert badge not in html_of(open_page("families", id="2"))


def test_a_family_can_be_confirmed_or_dismissed(nothing: Parts, signed_in: Signed) -> None:
    _group(nothing)
    signed_in(nothing)
    at = open_page("families", id="1")
    at = fine(button_named(at, "Confirm or dismiss").click().run())
    assert "No outlier model learns from what is confirmed" in html_of(at)

"""Addresses of pages: what they ask for by code, and what they ask for that there is not."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.wiring import Parts
from detectors.verdict import Verdict
from store.requests.record_store import add_records
from store.requests.records import Stage
from tests.dashboard.conftest import Day
from tests.dashboard.opened import Signed, fine, html_of, open_page, request_ids
from tests.makers import make_record


def shown(at: AppTest) -> list[str]:
    return list(dict.fromkeys(request_ids(html_of(at))))


def asked(at: AppTest, name: str) -> list[str]:
    values = at.query_params.get(name, [])
    return [values] if isinstance(values, str) else list(values)


def test_a_reason_is_its_code(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("traffic", reason="skin_share_too_low")
    assert at.selectbox(key="reason").value == "skin_share_too_low"
    assert 0 < len(shown(at)) < 50
    assert "mw-empty" not in html_of(at)


@pytest.mark.parametrize("written", ["flag", "FLAG", ' "flag" '])
def test_a_verdict_is_its_code(day: Day, signed_in: Signed, written: str) -> None:
    signed_in(day.parts)
    html = html_of(open_page("traffic", verdict=written))
    assert "Flag" in html
    assert "✓ Pass" not in html
    assert "The address" not in html


def test_several_verdicts_are_several_codes(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("traffic", verdict=["flag", "refuse"])
    assert at.button_group(key="verdict").value == [Verdict.FLAG, Verdict.REFUSE]
    assert "✓ Pass" not in html_of(at)


def test_a_window_is_its_code_on_both_pages(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    assert open_page("traffic", window="7d").selectbox(key="window").value == "7d"
    assert "Requests in 7 days" in html_of(open_page("overview", window="7d"))


def test_outliers_alone_and_a_client(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("traffic", outliers="true", client="203.0.113.66")
    assert at.checkbox(key="outliers").value
    assert at.text_input(key="client").value == "203.0.113.66"
    assert not open_page("traffic", outliers="false").checkbox(key="outliers").value


def test_an_action_is_its_code(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("audit", action="signed_in", actor="analyst:")
    assert at.selectbox(key="action").value == "signed_in"
    assert at.text_input(key="actor").value == "analyst:"


@pytest.mark.parametrize(
    ("page", "name", "value", "sentence"),
    [
        ("traffic", "reason", "bad_hair", "The address asks for the reason “bad_hair”"),
        ("traffic", "verdict", "maybe", "The address asks for the verdict “maybe”"),
        ("traffic", "window", "8d", "The address asks for the window “8d”"),
        ("traffic", "outliers", "perhaps", "The address asks for the outliers “perhaps”"),
        ("traffic", "reasons", "blank", "This page has no filter “reasons”"),
        ("traffic", "reason", "<img src=x>", "“&lt;img src=x&gt;”"),
        ("overview", "window", "8d", "The address asks for the window “8d”"),
        ("audit", "action", "dance", "The address asks for the action “dance”"),
        ("alerts", "alrt", "3", "This page has no filter “alrt”; it has alert"),
        ("request", "request_id", "3", "This page has no filter “request_id”; it has id"),
        ("blacklist", "client", "3", "This page has no filter “client”; it has none"),
    ],
)
def test_what_there_is_not_is_named(
    day: Day, signed_in: Signed, page: str, name: str, value: str, sentence: str
) -> None:
    signed_in(day.parts)
    html = html_of(open_page(page, **{name: value}))
    assert sentence in html


@pytest.mark.parametrize("written", ["{}", '"{}"', "#{}", " {}. "])
def test_the_number_of_an_alert_is_read_as_somebody_copied_it(
    day: Day, signed_in: Signed, written: str
) -> None:
    signed_in(day.parts)
    html = html_of(open_page("alerts", alert=written.format(day.sample.alert_id)))
    assert "There is no such alert" not in html
    assert "Also firing" in html or "Resolved" in html


def test_an_alert_without_a_number_is_none(nothing: Parts, signed_in: Signed) -> None:
    signed_in(nothing)
    assert "Nothing is firing" in html_of(open_page("alerts", alert=""))


def test_a_single_choice_given_twice_says_which_counts(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("traffic", window=["7d", "1h"])
    assert at.selectbox(key="window").value == "7d"
    assert "“1h”" in html_of(at)


def test_choosing_writes_codes_and_a_default_leaves_the_address(
    day: Day, signed_in: Signed
) -> None:
    signed_in(day.parts)
    at = open_page("traffic", reason="bad_hair")
    at.selectbox(key="reason").set_value("skin_share_too_low")
    at.selectbox(key="window").set_value("7d")
    at.text_input(key="client").set_value("203.0.113.66")
    fine(at.run())
    assert asked(at, "reason") == ["skin_share_too_low"]
    assert asked(at, "window") == ["7d"]
    assert asked(at, "client") == ["203.0.113.66"]
    assert "bad_hair" not in html_of(at)
    at.selectbox(key="window").set_value("24h")
    at.text_input(key="client").set_value("")
    fine(at.run())
    assert asked(at, "window") == asked(at, "client") == []
    assert asked(at, "reason") == ["skin_share_too_low"]


def test_every_reason_that_the_overview_names_leads_to_its_requests(
    nothing: Parts, signed_in: Signed
) -> None:
    signed_in(nothing)
    record = make_record(
        received_at=nothing.clock(),
        stage=Stage.GATE,
        verdict=Verdict.REFUSE,
        status=422,
        reasons=("too_many_pixels",),
    )
    with nothing.database.write() as session:
        add_records(session, [record])
    assert "/traffic?reason=too_many_pixels" in html_of(open_page("overview"))
    assert shown(open_page("traffic", reason="too_many_pixels")) == [record.request_id]

"""The page of changes."""

import re

from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from store.audit.actors import job
from store.audit.audit_log import Action, Entry, append
from tests.dashboard.conftest import Day
from tests.dashboard.opened import (
    Signed,
    button_named,
    fine,
    html_of,
    open_page,
)


def test_the_audit_page_tells_who_changed_what(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    html = html_of(open_page("audit"))
    assert html.index("analyst:tester") < html.index("job:decide")
    for said in ("Signed in", "Decision made", "Alert fired", "Outlier model promoted"):
        assert said in html
    assert f"/alerts?alert={day.sample.alert_id}" in html
    assert "It attacks" not in html
    assert "A photographer with a burst." in html


def test_the_audit_page_is_filtered_by_who_and_what(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("audit")
    at.text_input(key="actor").set_value("job:")
    at.selectbox(key="action").set_value("decision_made")
    html = html_of(fine(at.run()))
    assert html.count("Decision made") == 6
    assert "analyst:" not in html
    at.text_input(key="actor").set_value("nobody")
    assert "Nothing to show" in html_of(fine(at.run()))


def test_audit_pages_go_there_and_back(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    with day.parts.database.write() as session:
        for number in range(120):
            append(session, Entry(job("x"), Action.KEY_MADE, f"key {number}"), day.parts.clock())
    at = open_page("audit")
    assert _keys(at) == list(range(119, 69, -1))
    fine(button_named(at, "Older").click().run())
    assert _keys(at) == list(range(69, 19, -1))
    fine(button_named(at, "Newer").click().run())
    assert _keys(at) == list(range(119, 69, -1))


def _keys(at: AppTest) -> list[int]:
    return [int(number) for number in re.findall(r">key (\d+)<", html_of(at))]


def test_an_audit_row_that_was_changed_is_pointed_out(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    with day.parts.database.write() as session:
        session.execute(text("DROP TRIGGER audit_no_update"))
        session.execute(text("UPDATE audit SET subject = '<b>x</b>' WHERE sequence = 2"))
    at = open_page("audit")
    assert "row 2" in at.error[0].value
    html = html_of(at)
    assert html.count("✕ Changed") == 1
    assert "<b>x</b>" not in html

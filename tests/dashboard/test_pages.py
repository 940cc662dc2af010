"""Every page, run by Streamlit's own test runner, on a day of traffic and on nothing."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import text
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

import dashboard.main
from dashboard import visit
from dashboard.by_hand import decision_by_hand
from dashboard.wiring import Parts, provide
from detectors.findings import Finding, Place
from detectors.palette import colour_of
from detectors.rule_book import ADVERSARIAL_PICTURE
from detectors.verdict import Verdict
from store.actors import job
from store.alert_views import alert_view
from store.alerts import Condition, apply_condition
from store.audit import Action, Entry, append
from store.decisions import Kind, Scope, add_decision
from store.listed_patches import listed_patches, patch_evidence
from store.records import RequestRecord, Stage
from store.requests import add_record
from store.roll_ups import roll_up
from store.sign_in import end_session, issue_token, redeem_token
from tests.dashboard.conftest import Day

SCRIPT = Path(dashboard.main.__file__)
CAPTIONS = ("Picture, faces pixelated", "Mask overlay", "Entropy map")
PAGES = ("overview", "alerts", "traffic", "request", "blacklist", "audit")

Signed = Callable[[Parts], str]


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Signed]:
    """Makes a real session; only the cookie that carries it is missing in the test runner."""

    def sign_in(parts: Parts) -> str:
        provide(parts)
        st.cache_data.clear()
        now, hour = parts.clock(), timedelta(hours=1)
        with parts.database.write() as session:
            token = issue_token(session, "tester", now, hour)
            session.flush()
            secret = redeem_token(session, token, now, hour)
        assert secret is not None
        monkeypatch.setattr(visit, "session_secret", lambda: secret)
        return secret

    yield sign_in
    st.cache_data.clear()


def _open(page: str, **query: str) -> AppTest:
    at = AppTest.from_file(SCRIPT, default_timeout=30).run()
    for name, value in query.items():
        at.query_params[name] = value
    return _fine(at.switch_page(f"views/{page}.py").run())


def _fine(at: AppTest) -> AppTest:
    assert [error.message for error in at.exception] == []
    return at


def _html(at: AppTest) -> str:
    bodies = (str(element.proto.body) for element in at.get("html"))
    return "\n".join(body for body in bodies if not body.startswith("<style>"))


def _images(at: AppTest) -> str:
    return "\n".join(str(element.proto) for element in at.get("image"))


# Whoever looks at the audit page has signed in, which stands there.
@pytest.mark.parametrize("page", [page for page in PAGES if page != "audit"])
def test_an_empty_database_shows_helpful_sentences(
    page: str, nothing: Parts, signed_in: Signed
) -> None:
    signed_in(nothing)
    at = _open(page)
    assert "mw-empty" in _html(at)
    assert not at.error


@pytest.mark.parametrize("page", PAGES)
def test_without_a_session_no_page_shows_anything(page: str, day: Day, signed_in: Signed) -> None:
    secret = signed_in(day.parts)
    with day.parts.database.write() as session:
        end_session(session, secret, day.parts.clock())
    at = _open(page)
    assert "maskwatch dashboard-link" in at.warning[0].value
    assert "mw-head" not in _html(at)


def test_a_lost_database_is_one_sentence(nothing: Parts, signed_in: Signed) -> None:
    signed_in(nothing)
    with nothing.database.write() as session:
        session.connection().exec_driver_sql("DROP TABLE alerts")
    at = _open("alerts")
    assert "maskwatch db upgrade" in at.error[0].value


def test_the_overview_counts_the_day(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    html = _html(_open("overview"))
    assert "27 of 312" in html
    assert "2 not acknowledged" in html
    assert "ip:203.0.113.66" in html
    assert "Evaluate alerts" in html


def test_another_window_counts_something_else(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = _open("overview")
    at.button_group[0].set_value("1h")
    assert "Requests in 1 hour" in _html(_fine(at.run()))


def test_the_longest_window_counts_old_records_and_those_of_now(
    day: Day, signed_in: Signed
) -> None:
    signed_in(day.parts)
    with day.parts.database.write() as session:
        assert roll_up(session, day.parts.clock(), 100) == 100
    at = _open("overview")
    at.button_group[0].set_value("30d")
    html = _html(_fine(at.run()))
    assert "Requests in 30 days" in html
    assert "27 of 312" in html


def test_an_alert_is_acknowledged_by_whoever_is_signed_in(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = _open("alerts", alert=str(day.sample.alert_id))
    html = _html(at)
    assert f"/request?id={day.sample.flagged}" in html
    assert "refused the connection" in html
    _fine(at.button(key=f"acknowledge-{day.sample.alert_id}").click().run())
    with day.parts.database.read() as session:
        alert = alert_view(session, day.sample.alert_id)
    assert alert is not None
    assert alert.acknowledged_by == "tester"
    assert "Acknowledged by tester" in _html(at)


def test_an_alert_about_model_files_counts_and_names_them(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    changed = Condition(
        fingerprint="model_file_changed:1",
        rule="model_file_changed",
        severity="critical",
        active=True,
        value=2.0,
        threshold=0.0,
        summary="2 files of the model /models/m2fp_model on parser differ.",
        atlas="AML.T0018",
        owasp="ML06:2023",
        evidence={
            "model": "/models/m2fp_model",
            "files": [["changed", "pytorch_model.pt"], ["added", "run_me.py"]],
        },
    )
    with day.parts.database.write() as session:
        alert = apply_condition(session, changed, day.parts.clock())
        assert alert is not None
        number = alert.id
    card = _html(_open("alerts", alert=str(number))).split("Also firing")[0]
    for said in ("2 files", "/models/m2fp_model", "pytorch_model.pt", "run_me.py", "Changed"):
        assert said in card
    assert "%" not in card


@pytest.mark.parametrize("number", ["99", "x", "9" * 40, "<b>"])
def test_an_unknown_alert_is_said_to_be_one(day: Day, signed_in: Signed, number: str) -> None:
    signed_in(day.parts)
    html = _html(_open("alerts", alert=number))
    assert "There is no such alert" in html
    assert "<b>." not in html


def test_traffic_is_filtered(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = _open("traffic")
    assert _html(at).count("/request?id=") == 50
    at.selectbox(key="reason").set_value("skin_share_too_low")
    at.text_input(key="client").set_value("203.0.113.66")
    html = _html(_fine(at.run()))
    assert 0 < html.count("/request?id=") < 14
    assert "✓ Pass" not in html


def test_traffic_pages_go_there_and_back(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = _open("traffic")
    first = _html(at)
    _fine(_named(at, "Older").click().run())
    second = _html(at)
    assert second.count("/request?id=") == 50
    assert set(_ids(first)).isdisjoint(_ids(second))
    _fine(_named(at, "Newer").click().run())
    assert _ids(_html(at)) == _ids(first)


def test_only_the_newest_of_very_many_clients_are_looked_for(
    nothing: Parts, signed_in: Signed
) -> None:
    signed_in(nothing)
    with nothing.database.write() as session:
        for number in range(25):
            add_record(session, _refused(nothing, f"ip:198.51.100.{number}", str(number) * 36))
    at = _open("traffic")
    assert "clients seen last" not in _html(at)
    at.text_input(key="client").set_value("198.51")
    assert "Only the 20 matching clients seen last are listed." in _html(_fine(at.run()))


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
    at = _open("blacklist")
    assert "198.51.100.0<" not in _html(at)
    _fine(_named(at, "Older").click().run())
    assert "198.51.100.0<" in _html(at)
    assert "198.51.100.1<" not in _html(at)
    _fine(_named(at, "Newest").click().run())
    assert "198.51.100.1<" in _html(at)


def test_a_blocked_patch_can_be_seen_and_revoked(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = _open("blacklist")
    assert 'class="mw-thumb" src="data:image/png;base64,' in _html(at)
    with day.parts.database.read() as session:
        [listed] = listed_patches(session, day.parts.clock())
    button = next(each for each in at.button if each.key == f"revoke-{listed.decision_id}")
    at = _fine(button.click().run())
    # What it is made of is shown, not printed.
    assert "Correlation" in _html(at)
    assert str(patch_evidence(listed.patch, listed.limit)["patch"]) not in _html(at)


def _refused(parts: Parts, client: str, request_id: str) -> RequestRecord:
    return RequestRecord(
        request_id=request_id[:36],
        received_at=parts.clock(),
        client=client,
        route="api",
        stage=Stage.GATE,
        verdict=Verdict.REFUSE,
        status=415,
        reasons=("truncated",),
    )


def _named(at: AppTest, label: str) -> Button:
    return next(button for button in at.button if button.label == label)


def _ids(html: str) -> list[str]:
    return re.findall(r"/request\?id=([0-9a-f-]{36})", html)


def test_the_audit_page_tells_who_changed_what(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    html = _html(_open("audit"))
    assert html.index("analyst:tester") < html.index("job:decide")
    for said in ("Signed in", "Decision made", "Alert fired", "Outlier model promoted"):
        assert said in html
    assert f"/alerts?alert={day.sample.alert_id}" in html
    assert "It attacks" not in html
    assert "A photographer with a burst." in html


def test_the_audit_page_is_filtered_by_who_and_what(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = _open("audit")
    at.text_input(key="actor").set_value("job:")
    at.selectbox(key="action").set_value("decision_made")
    html = _html(_fine(at.run()))
    assert html.count("Decision made") == 5
    assert "analyst:" not in html
    at.text_input(key="actor").set_value("nobody")
    assert "Nothing to show" in _html(_fine(at.run()))


def test_audit_pages_go_there_and_back(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    with day.parts.database.write() as session:
        for number in range(120):
            append(session, Entry(job("x"), Action.KEY_MADE, f"key {number}"), day.parts.clock())
    at = _open("audit")
    assert _keys(at) == list(range(119, 69, -1))
    _fine(_named(at, "Older").click().run())
    assert _keys(at) == list(range(69, 19, -1))
    _fine(_named(at, "Newer").click().run())
    assert _keys(at) == list(range(119, 69, -1))


def _keys(at: AppTest) -> list[int]:
    return [int(number) for number in re.findall(r">key (\d+)<", _html(at))]


def test_an_audit_row_that_was_changed_is_pointed_out(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    with day.parts.database.write() as session:
        session.execute(text("DROP TRIGGER audit_no_update"))
        session.execute(text("UPDATE audit SET subject = '<b>x</b>' WHERE sequence = 2"))
    at = _open("audit")
    assert "row 2" in at.error[0].value
    html = _html(at)
    assert html.count("✕ Changed") == 1
    assert "<b>x</b>" not in html


def test_a_flagged_request_says_why(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = _open("request", id=day.sample.flagged)
    html = _html(at)
    assert "AML.T0015" in html
    assert "◆ Outlier" in html
    assert "0.0036" in html
    assert "high_frequency_share" in html
    assert "11 outliers and 7 refusals" in html
    assert [caption for caption in CAPTIONS if caption in _images(at)] == list(CAPTIONS)


def test_parts_have_words_and_the_colour_that_they_have_in_the_overlay(
    day: Day, signed_in: Signed
) -> None:
    signed_in(day.parts)
    html = _html(_open("request", id=day.sample.flagged))
    red, green, blue = colour_of("upper_clothes")
    assert f'<i style="background:rgb({red},{green},{blue})"></i>Upper clothes</span>' in html


def test_a_finding_says_where_it_shows(nothing: Parts, signed_in: Signed) -> None:
    signed_in(nothing)
    places = (Place(30, 40, 54, 72, "face"), Place(0, 0, 8, 8))
    record = RequestRecord(
        request_id="11111111-1111-4111-8111-111111111111",
        received_at=nothing.clock(),
        client="ip:203.0.113.7",
        route="api",
        stage=Stage.PARSED,
        verdict=Verdict.FLAG,
        status=200,
        reasons=("adversarial_picture",),
        findings=(Finding(ADVERSARIAL_PICTURE, {"tamper_score": 1.5}, places),),
    )
    with nothing.database.write() as session:
        add_record(session, record)
    html = _html(_open("request", id=record.request_id))
    assert "The picture looks made to mislead the model." in html
    assert "Where: face at 30, 40: 24 × 32 pixels · outlined at 0, 0: 8 × 8 pixels" in html


def test_a_finding_about_the_whole_request_has_no_place(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    assert "Where: " not in _html(_open("request", id=day.sample.flagged))


def test_requests_without_pictures_say_why(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    passed = _html(_open("request", id=day.sample.passed))
    assert "Evidence is kept for flagged requests" in passed
    refused = _html(_open("request", id=day.sample.refused))
    assert "turned away before the model saw it" in refused


def test_an_unknown_request_is_said_to_be_one(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    assert "There is no such request" in _html(_open("request", id="<script>"))


def test_what_a_client_chose_is_escaped(nothing: Parts, signed_in: Signed) -> None:
    signed_in(nothing)
    record = RequestRecord(
        request_id="11111111-1111-4111-8111-111111111111",
        received_at=nothing.clock(),
        client="<img src=x onerror=alert(1)>",
        route="api",
        stage=Stage.GATE,
        verdict=Verdict.REFUSE,
        status=415,
        reasons=("<script>",),
    )
    with nothing.database.write() as session:
        add_record(session, record)
    for html in (_html(_open("overview")), _html(_open("traffic"))):
        assert "<img" not in html
        assert "<script>" not in html
        assert "&lt;img" in html

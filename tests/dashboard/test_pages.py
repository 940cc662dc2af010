"""Every page, run by Streamlit's own test runner; and the overview."""

import pytest
import streamlit as st

from dashboard.wiring import Parts
from detectors.evidence.kinds import EvidenceKind
from detectors.verdict import Verdict
from store.alerts.job_runs import SKIPPED, finish_run, start_run
from store.counts.roll_ups import roll_up
from store.counts.turned_away import add_turned_away
from store.engine.leases import take_lease
from store.people.sign_in import end_session
from store.requests.record_store import add_record, add_records
from store.requests.records import RequestRecord, Stage
from tests.dashboard.conftest import Day
from tests.dashboard.opened import Signed, fine, html_of, open_page
from tests.makers import make_record
from tests.waiting import PATIENCE_SECONDS

PAGES = (
    *("overview", "alerts", "families", "outliers", "traffic", "request", "blacklist", "audit"),
)


# Whoever looks at the audit page has signed in, which stands there.
@pytest.mark.parametrize("page", [page for page in PAGES if page != "audit"])
def test_an_empty_database_shows_helpful_sentences(
    page: str, nothing: Parts, signed_in: Signed
) -> None:
    signed_in(nothing)
    at = open_page(page)
    assert "mw-empty" in html_of(at)
    assert not at.error


@pytest.mark.parametrize("page", PAGES)
def test_without_a_session_no_page_shows_anything(page: str, day: Day, signed_in: Signed) -> None:
    secret = signed_in(day.parts)
    with day.parts.database.write() as session:
        end_session(session, secret, day.parts.clock())
    at = open_page(page)
    assert "maskwatch dashboard-link" in at.warning[0].value
    assert "mw-head" not in html_of(at)


def test_a_lost_database_is_one_sentence(nothing: Parts, signed_in: Signed) -> None:
    signed_in(nothing)
    with nothing.database.write() as session:
        session.connection().exec_driver_sql("DROP TABLE alerts")
    at = open_page("alerts")
    assert "maskwatch db upgrade" in at.error[0].value


def test_the_overview_counts_the_day(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    html = html_of(open_page("overview"))
    assert "27 of 312" in html
    assert "2 not acknowledged" in html
    assert "ip:203.0.113.66" in html
    assert "Evaluate alerts" in html


def test_the_overview_says_whether_the_jobs_run(
    nothing: Parts, signed_in: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A page may take longer than a lease is good for.
    monkeypatch.setattr("store.pages.scheduler_health._MAX_AGE_SECONDS", PATIENCE_SECONDS)
    signed_in(nothing)
    at = open_page("overview")
    assert at.warning[0].value == "Nobody runs the jobs: start `maskwatch jobs`."
    with nothing.database.write() as session:
        take_lease(session, 0, "parser-1, process 7")
    st.cache_data.clear()
    at = fine(at.run())
    assert not at.warning
    assert "parser-1, process 7 leads since" in html_of(at)


def test_a_job_with_nothing_to_work_on_is_not_said_to_have_succeeded(
    nothing: Parts, signed_in: Signed
) -> None:
    signed_in(nothing)
    now = nothing.clock()
    with nothing.database.write() as session:
        finish_run(session, start_run(session, "scan", now), SKIPPED, 0, "No model.", now)
    html = html_of(open_page("overview"))
    assert "Nothing to do" in html
    assert "Succeeded" not in html


def test_another_window_counts_something_else(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("overview")
    at.button_group[0].set_value("1h")
    assert "Requests in 1 hour" in html_of(fine(at.run()))


def test_the_longest_window_counts_old_records_and_those_of_now(
    day: Day, signed_in: Signed
) -> None:
    signed_in(day.parts)
    with day.parts.database.write() as session:
        assert roll_up(session, day.parts.clock(), 100) == 100
    at = open_page("overview")
    at.button_group[0].set_value("30d")
    html = html_of(fine(at.run()))
    assert "Requests in 30 days" in html
    assert "27 of 312" in html


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
    for html in (html_of(open_page("overview")), html_of(open_page("traffic"))):
        assert "<img" not in html
        assert "<script>" not in html
        assert "&lt;img" in html


def test_the_overview_names_attackers_and_why_others_were_turned_away(
    nothing: Parts, signed_in: Signed
) -> None:
    signed_in(nothing)
    now = nothing.clock()
    crafted = [
        make_record(
            received_at=now,
            client="ip:198.51.100.7",
            verdict=Verdict.FLAG,
            reasons=("adversarial_picture",),
        )
        for _ in range(4)
    ]
    honest = make_record(
        received_at=now,
        client="ip:203.0.113.8",
        stage=Stage.ADMISSION,
        verdict=Verdict.REFUSE,
        status=503,
        reasons=("overloaded",),
    )
    minute = int(now.timestamp()) // 60 * 60
    with nothing.database.write() as session:
        add_records(session, [*crafted, honest])
        add_turned_away(session, {(EvidenceKind.FLOOD, "ip:198.51.100.99", minute): 281})
    html = html_of(open_page("overview"))
    for said in ("4 crafted pictures", "281 requests too many", "ip:198.51.100.99"):
        assert said in html
    assert "The service had no room for it at the time (503)." in html
    assert "reason=overloaded" in html

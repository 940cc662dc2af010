"""The page of requests."""

from dataclasses import replace
from datetime import timedelta

from dashboard.show import words
from dashboard.wiring import Parts
from detectors.verdict import Verdict
from store.requests.record_store import add_record
from store.requests.records import RequestRecord, Stage
from tests.dashboard.conftest import Day
from tests.dashboard.opened import Signed, button_named, fine, html_of, open_page, request_ids


def test_traffic_is_filtered(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("traffic")
    assert html_of(at).count("/request?id=") == 50
    at.selectbox(key="reason").set_value("skin_share_too_low")
    at.text_input(key="client").set_value("203.0.113.66")
    html = html_of(fine(at.run()))
    assert 0 < html.count("/request?id=") < 14
    assert "✓ Pass" not in html


def test_requests_that_came_through_a_proxy_are_listed_alone(
    nothing: Parts, signed_in: Signed
) -> None:
    signed_in(nothing)
    hosted = refused(nothing, "ip:203.0.113.7", "1" * 36)
    with nothing.database.write() as session:
        add_record(session, hosted)
        add_record(session, replace(hosted, request_id="2" * 36, route="proxy"))
    at = open_page("traffic")
    assert sorted(request_ids(html_of(at))) == ["1" * 36, "2" * 36]
    at.selectbox(key="through").set_value("proxy")
    assert request_ids(html_of(fine(at.run()))) == ["2" * 36]
    assert at.query_params["through"] == "proxy"


def test_traffic_pages_go_there_and_back(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("traffic")
    first = html_of(at)
    fine(button_named(at, "Older").click().run())
    second = html_of(at)
    assert second.count("/request?id=") == 50
    assert set(request_ids(first)).isdisjoint(request_ids(second))
    fine(button_named(at, "Newer").click().run())
    assert request_ids(html_of(at)) == request_ids(first)


def test_another_filter_starts_again_at_the_newest_request(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("traffic")
    first = html_of(at)
    fine(button_named(at, "Older").click().run())
    at.selectbox(key="through").set_value("api")
    assert request_ids(html_of(fine(at.run()))) == request_ids(first)


def refused(parts: Parts, client: str, request_id: str) -> RequestRecord:
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


def test_only_the_newest_of_very_many_clients_are_looked_for(
    nothing: Parts, signed_in: Signed
) -> None:
    signed_in(nothing)
    with nothing.database.write() as session:
        for number in range(25):
            add_record(session, refused(nothing, f"ip:198.51.100.{number}", str(number) * 36))
    at = open_page("traffic")
    assert "clients seen last" not in html_of(at)
    at.text_input(key="client").set_value("198.51")
    assert "Only the 20 matching clients seen last are listed." in html_of(fine(at.run()))


def test_an_answer_that_was_recorded_late_does_not_turn_the_times_round(
    nothing: Parts, signed_in: Signed
) -> None:
    signed_in(nothing)
    late = refused(nothing, "ip:203.0.113.7", "1" * 36)
    early = replace(late, request_id="2" * 36, received_at=late.received_at - timedelta(seconds=61))
    with nothing.database.write() as session:
        add_record(session, late)
        add_record(session, early)
    extent = f"from {words.utc(early.received_at)} to {words.utc(late.received_at)}"
    assert f"2 requests, {extent}" in html_of(open_page("traffic"))

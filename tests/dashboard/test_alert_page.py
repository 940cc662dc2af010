"""The page of alerts."""

import pytest

from store.alerts.alerts import apply_condition
from store.alerts.outbox import (
    address_notifications,
    claim_notification,
    mark_sent,
    refuse,
)
from store.pages.alert_views import alert_view
from tests.dashboard.conftest import Day
from tests.dashboard.opened import Signed, fine, html_of, open_page
from tests.makers import make_condition


def test_an_alert_is_acknowledged_by_whoever_is_signed_in(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("alerts", alert=str(day.sample.alert_id))
    html = html_of(at)
    assert f"/request?id={day.sample.flagged}" in html
    assert "refused the connection" in html
    fine(at.button(key=f"acknowledge-{day.sample.alert_id}").click().run())
    with day.parts.database.read() as session:
        alert = alert_view(session, day.sample.alert_id)
    assert alert is not None
    assert alert.acknowledged_by == "tester"
    assert "Acknowledged by tester" in html_of(at)


def test_an_alert_about_model_files_counts_and_names_them(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    changed = make_condition(
        fingerprint="model_file_changed:1",
        rule="model_file_changed",
        severity="critical",
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
    card = html_of(open_page("alerts", alert=str(number))).split("Also firing")[0]
    for said in ("2 files", "/models/m2fp_model", "pytorch_model.pt", "run_me.py", "Changed"):
        assert said in card
    assert "%" not in card


@pytest.mark.parametrize(
    ("rule", "value", "title", "amount"),
    [
        ("disk_low", 812.0, "Disk low", "812 MB"),
        ("mail_refused", 1.0, "Mail refused", "1 receiver"),
        ("attacking_client", 4.5, "Attacking client", "4.5"),
        ("invalid_share", 0.125, "Invalid share", "12.5\u202f%"),
        ("a_rule_of_tomorrow", 7.0, "A rule of tomorrow", "7"),
    ],
)
def test_a_value_is_written_in_the_unit_of_its_rule(
    day: Day, signed_in: Signed, rule: str, value: float, title: str, amount: str
) -> None:
    signed_in(day.parts)
    condition = make_condition(fingerprint=f"{rule}:unit", rule=rule, value=value, evidence={})
    with day.parts.database.write() as session:
        alert = apply_condition(session, condition, day.parts.clock())
        assert alert is not None
        number = alert.id
    card = html_of(open_page("alerts", alert=str(number))).split("Also firing")[0]
    assert f"Alert {number} · {title}" in card
    assert f">{amount}<" in card


def test_a_receiver_who_is_refused_stands_beside_the_one_who_is_told(
    day: Day, signed_in: Signed
) -> None:
    signed_in(day.parts)
    now = day.parts.clock()
    with day.parts.database.write() as session:
        alert = apply_condition(session, make_condition(fingerprint="mail"), now)
        assert alert is not None
        number = alert.id
        address_notifications(session, ["ada@example.org", "bob@example.org"], now)
        for _ in range(20):
            claim = claim_notification(session, now, 60)
            if claim is None:
                break
            if claim.recipient == "ada@example.org":
                assert refuse(session, claim, "No such user.", now)
            else:
                mark_sent(session, claim, "smtp", claim.recipient, now)
    card = html_of(open_page("alerts", alert=str(number))).split("Also firing")[0]
    for said in ("ada@example.org", "✕ Refused", "not tried again", "No such user.", "✓ Sent"):
        assert said in card


@pytest.mark.parametrize("number", ["99", "x", "9" * 40, "<b>"])
def test_an_unknown_alert_is_said_to_be_one(day: Day, signed_in: Signed, number: str) -> None:
    signed_in(day.parts)
    html = html_of(open_page("alerts", alert=number))
    assert "There is no such alert" in html
    assert "<b>." not in html

"""Changes are made by whoever is signed in while they are made."""

from datetime import timedelta

import pytest

from dashboard.access.page_context import SignedOut, begin_change
from dashboard.wiring import Parts, provide
from store.alerts.alerts import AlertState, acknowledge
from store.people.sign_in import end_session
from store.tables.work_tables import AlertRow
from tests.dashboard.conftest import Day
from tests.dashboard.opened import Signed, button_named, open_page


def test_a_change_is_made_in_the_name_of_the_session(nothing: Parts, signed_in: Signed) -> None:
    signed_in(nothing)
    with begin_change() as change:
        assert change.who == "tester"


def test_after_the_sign_out_nothing_is_changed(day: Day, signed_in: Signed) -> None:
    secret = signed_in(day.parts)
    with day.parts.database.write() as session:
        end_session(session, secret, day.parts.clock())
    with pytest.raises(SignedOut, match="maskwatch dashboard-link"), begin_change() as change:
        acknowledge(change.session, 1, change.who, change.now)
    with day.parts.database.read() as session:
        assert session.get_one(AlertRow, 1).acknowledged_at is None


def test_a_session_that_ran_out_changes_nothing(nothing: Parts, signed_in: Signed) -> None:
    signed_in(nothing)
    later = Parts(nothing.settings, nothing.database, lambda: nothing.clock() + timedelta(hours=1))
    provide(later)
    with pytest.raises(SignedOut), begin_change():
        pass


def test_an_alert_is_acknowledged_in_the_name_of_the_session(day: Day, signed_in: Signed) -> None:
    signed_in(day.parts)
    at = open_page("alerts")
    button_named(at, "Acknowledge").click().run()
    with day.parts.database.read() as session:
        names = [
            row.acknowledged_by
            for row in session.query(AlertRow).filter_by(state=AlertState.FIRING.value)
        ]
    assert "tester" in names

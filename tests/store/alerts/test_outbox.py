"""The outbox: each receiver of an event is told once, whoever else is told or not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from store.alerts.alerts import apply_condition
from store.alerts.outbox import (
    Claim,
    address_notifications,
    claim_notification,
    mark_sent,
    postpone,
    refuse,
)
from store.engine.database import Database
from store.tables.work_tables import NotificationRow
from tests.makers import make_condition

ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"
MINUTE = timedelta(minutes=1)
Row = tuple[str | None, str, int, str | None]


class Outbox:
    """The outbox of a database, as a sender with these receivers uses it."""

    def __init__(self, database: Database, now: datetime, *recipients: str) -> None:
        self.database, self.now, self.recipients = database, now, recipients

    def fire(self, *fingerprints: str) -> None:
        with self.database.write() as session:
            for fingerprint in fingerprints or ("rule",):
                apply_condition(session, make_condition(fingerprint=fingerprint), self.now)

    def claim(self, at: datetime | None = None) -> Claim | None:
        with self.database.write() as session:
            address_notifications(session, self.recipients, at or self.now)
            return claim_notification(session, at or self.now, lease_seconds=60)

    def take(self, at: datetime | None = None) -> Claim:
        claim = self.claim(at)
        assert claim is not None
        return claim

    def send(self, claim: Claim) -> None:
        with self.database.write() as session:
            mark_sent(session, claim, "smtp", claim.recipient, self.now)

    def postpone(self, claim: Claim, until: datetime) -> None:
        with self.database.write() as session:
            postpone(session, claim, "Greylisted.", until)

    def refuse(self, claim: Claim, until: datetime) -> bool:
        with self.database.write() as session:
            return refuse(session, claim, "No such user.", until)

    def rows(self) -> list[Row]:
        with self.database.read() as session:
            rows = session.scalars(select(NotificationRow).order_by(NotificationRow.id))
            return [(row.recipient, row.state, row.attempts, row.last_error) for row in rows]


@pytest.fixture
def outbox(database: Database, now: datetime) -> Outbox:
    return Outbox(database, now, ADA, BOB)


def test_each_receiver_has_a_row_once_the_event_is_due(outbox: Outbox) -> None:
    outbox.fire()
    assert outbox.rows() == [(None, "pending", 0, None)]
    assert {outbox.take().recipient, outbox.take().recipient} == {ADA, BOB}
    assert outbox.claim() is None
    assert outbox.rows() == [(ADA, "sending", 1, None), (BOB, "sending", 1, None)]


def test_one_who_is_put_off_waits_alone(outbox: Outbox, now: datetime) -> None:
    outbox.fire()
    outbox.postpone(outbox.take(), now + 5 * MINUTE)
    outbox.send(outbox.take())
    assert outbox.claim(now + 4 * MINUTE) is None
    again = outbox.take(now + 5 * MINUTE)
    assert (again.recipient, again.attempts) == (ADA, 2)
    outbox.send(again)
    assert outbox.claim(now + timedelta(days=9)) is None
    assert outbox.rows() == [(ADA, "sent", 2, None), (BOB, "sent", 1, None)]


def test_one_who_is_refused_is_given_up_while_another_one_is_told(
    outbox: Outbox, now: datetime
) -> None:
    outbox.fire()
    assert outbox.refuse(outbox.take(), now + MINUTE)
    outbox.send(outbox.take())
    assert outbox.claim(now + timedelta(days=9)) is None
    assert outbox.rows() == [(ADA, "refused", 1, "No such user."), (BOB, "sent", 1, None)]


def test_an_event_that_nobody_takes_is_not_given_up(outbox: Outbox, now: datetime) -> None:
    outbox.fire()
    assert outbox.refuse(outbox.take(), now + MINUTE)
    assert not outbox.refuse(outbox.take(), now + MINUTE)
    assert outbox.claim() is None
    assert outbox.take(now + MINUTE).recipient == BOB


def test_whoever_replaces_a_receiver_is_told_what_that_one_was_not(
    outbox: Outbox, now: datetime
) -> None:
    outbox.fire("a")
    outbox.send(outbox.take())
    outbox.postpone(outbox.take(), now + MINUTE)
    successor = Outbox(outbox.database, now, ADA, EVE)
    assert successor.claim() is None
    successor.send(successor.take(now + MINUTE))
    assert successor.claim(now + MINUTE) is None
    assert outbox.rows() == [(ADA, "sent", 1, None), (EVE, "sent", 1, None)]


def test_a_receiver_who_comes_back_before_the_next_attempt_is_told(
    outbox: Outbox, now: datetime
) -> None:
    outbox.fire()
    other = Outbox(outbox.database, now, EVE)
    other.postpone(other.take(), now)
    assert {outbox.take().recipient, outbox.take().recipient} == {ADA, BOB}
    assert [row[0] for row in outbox.rows()] == [ADA, BOB]


def test_a_row_of_an_earlier_version_that_waits_gets_its_receivers(
    outbox: Outbox, now: datetime
) -> None:
    outbox.fire("waits", "was sent")
    with outbox.database.write() as session:
        waits, sent = session.scalars(select(NotificationRow).order_by(NotificationRow.id))
        waits.state, waits.attempts, waits.last_error = "sending", 3, "Connection refused."
        sent.state, sent.destination = "sent", f"{ADA}, {BOB}"
    assert [outbox.take().recipient for _ in range(2)] == [ADA, BOB]
    assert outbox.claim() is None
    assert sorted(outbox.rows(), key=repr) == [
        (ADA, "sending", 1, None),
        (BOB, "sending", 1, None),
        (None, "sent", 0, None),
    ]


def test_two_senders_never_get_the_same_mail(outbox: Outbox) -> None:
    outbox.fire(*map(str, range(4)))

    # Whoever loses a race saw a mail that the other one got, so this many attempts empty the box.
    def claim_all(_worker: int) -> list[Claim | None]:
        return [outbox.claim() for _ in range(8)]

    with ThreadPoolExecutor(2) as workers:
        claims = [claim for some in workers.map(claim_all, range(2)) for claim in some if claim]
    assert len(claims) == len({claim.id for claim in claims}) == 8
    assert len({(claim.alert_id, claim.recipient) for claim in claims}) == 8


def test_a_mail_of_a_sender_that_died_is_due_again_when_its_lease_ends(
    outbox: Outbox, now: datetime
) -> None:
    outbox.fire()
    outbox.send(outbox.take())
    first = outbox.take()
    assert outbox.claim(now + timedelta(seconds=59)) is None
    again = outbox.take(now + MINUTE)
    assert (again.id, again.attempts) == (first.id, 2)


def test_a_sender_whose_lease_has_ended_changes_nothing_unless_the_mail_went_out(
    outbox: Outbox, now: datetime
) -> None:
    outbox.fire()
    outbox.send(outbox.take())
    slow = outbox.take()
    quick = outbox.take(now + MINUTE)
    outbox.postpone(slow, now)
    outbox.refuse(slow, now)
    assert outbox.rows()[1] == (BOB, "sending", 2, None)
    outbox.send(slow)
    outbox.postpone(quick, now)
    assert outbox.rows()[1] == (BOB, "sent", 2, None)


def test_a_mail_that_waits_lets_the_next_one_pass(outbox: Outbox, now: datetime) -> None:
    outbox.recipients = (ADA,)
    outbox.fire("a")
    poison = outbox.take()
    outbox.postpone(poison, now + 5 * MINUTE)
    outbox.fire("b")
    other = outbox.take()
    assert other.id != poison.id
    assert outbox.claim() is None
    assert [outbox.take(now + 5 * MINUTE).id for _ in range(2)] == [other.id, poison.id]


def test_nothing_waits_for_a_time_from_before_the_clock_was_set_back(
    outbox: Outbox, now: datetime
) -> None:
    outbox.fire()
    outbox.postpone(outbox.take(), now + 30 * MINUTE)
    assert outbox.take().recipient == BOB
    assert outbox.claim() is None
    assert outbox.take(now - timedelta(days=1)).recipient == BOB
    assert outbox.take(now - timedelta(days=1)).recipient == ADA

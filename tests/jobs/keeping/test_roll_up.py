"""The job that counts new records."""

from datetime import timedelta

import pytest

from jobs.context import JobContext
from jobs.keeping import roll_up
from store.counts.periods import Period
from store.pages.overview import busiest_clients, headline
from tests.jobs.conftest import Traffic


def test_it_counts_in_batches_until_nothing_is_left(
    context: JobContext, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roll_up, "_BATCH", 2)
    traffic.clean("ip:192.0.2.1", 3)
    traffic.flagged("ip:192.0.2.2", 2)
    outcome = roll_up.run(context)
    assert (outcome.sentence, outcome.rows) == ("5 records rolled up.", 5)
    assert roll_up.run(context).rows == 0
    period = Period.until(context.now, timedelta(days=1))
    with context.database.read() as session:
        shown = headline(session, period, context.now)
        clients = busiest_clients(session, period, 5)
    assert (shown.requests, shown.clients, shown.invalid.invalid) == (5, 2, 2)
    assert [(each.client, each.requests, each.bad) for each in clients] == [
        ("ip:192.0.2.1", 3, 0),
        ("ip:192.0.2.2", 2, 2),
    ]


def test_a_round_ends_before_the_next_one(
    context: JobContext, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roll_up, "_BATCH", 2)
    monkeypatch.setattr(roll_up, "_MAX_BATCHES", 1)
    traffic.clean("ip:192.0.2.1", 3)
    assert [roll_up.run(context).rows for _ in range(3)] == [2, 1, 0]

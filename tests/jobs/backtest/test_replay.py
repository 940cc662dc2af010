"""What is in force, gone through again, gives just what was recorded."""

import shutil
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from jobs.backtest.backtest import Result
from jobs.backtest.past_ledger import PastLedger
from jobs.backtest.run import Wish, run_backtest
from jobs.backtest.tallies import COMPARED, Count, Side
from jobs.context import JobContext
from store.decisions.decisions import BY_ANALYST, add_decision, revoke
from store.decisions.proposals import OPEN_FOR, propose
from store.decisions.scopes import Kind
from store.engine.database import Database
from store.requests.record_store import add_record
from store.tables.work_tables import AlertRow, DecisionRow
from tests.jobs.backtest.past import (
    HOURS,
    START,
    Arrival,
    go_through,
    let_pass,
    make_settings,
    run_jobs,
)
from tests.makers import NOW, make_decision

CLIENTS = ("ip:198.51.100.7", "key:acme", "ip:2001:db8::7", "ip:2001:db8::9", "ip:203.0.113.9")
CODES = (
    *("adversarial_picture", "probing_sequence", "polyglot", "unreadable", "truncated"),
    *("no_person_found", "trigger_suspected", None, None),
)
arrivals = st.lists(
    st.builds(
        Arrival,
        at_seconds=st.integers(1, HOURS * 3_600 - 61).filter(lambda each: each % 180),
        client=st.sampled_from(CLIENTS),
        code=st.sampled_from(CODES),
        upload=st.none() | st.integers(0, 9),
        clean_share=st.sampled_from((0.0, 0.01)),
    ),
    max_size=25,
)


def crowd(client: str, start: int, count: int, code: str | None) -> list[Arrival]:
    return [Arrival(start + 7 * number, client, code) for number in range(count)]


bursts = st.lists(
    st.builds(
        crowd,
        st.sampled_from(CLIENTS),
        st.integers(1, (HOURS - 1) * 3_600),
        st.integers(1, 12),
        st.sampled_from(CODES),
    ),
    max_size=4,
)


def differences(result: Result) -> dict[str, int]:
    total = result.tallies.total
    return {
        f"{what} {side}": total[what, side]
        for what in COMPARED
        for side in (Side.NEW, Side.GONE)
        if total[what, side]
    }


def recorded_blocks(database: Database) -> list[DecisionRow]:
    with database.read() as session:
        blocks = select(DecisionRow).where(DecisionRow.origin == "policy")
        return list(session.scalars(blocks.order_by(DecisionRow.id)))


@settings(max_examples=8)
@given(single=arrivals, together=bursts, simulates=st.booleans())
def test_the_policy_in_force_gives_what_it_gave(
    sqlite_template: Path, single: list[Arrival], together: list[list[Arrival]], simulates: bool
) -> None:
    coming = [*single, *(each for burst in together for each in burst if each.at_seconds % 60)]
    with TemporaryDirectory() as name:
        shutil.copy(sqlite_template, Path(name) / "maskwatch.db")
        given_settings = make_settings(Path(name), simulate_blocks=simulates)
        database = Database.open(given_settings)
        try:
            let_pass(JobContext(database, given_settings, NOW), coming, NOW)
            result = go_through(database, given_settings)
            blocks = recorded_blocks(database)
            with database.read() as session:
                alerts = len(session.scalars(select(AlertRow)).all())
        finally:
            database.close()
    assert differences(result) == {}
    assert result.tallies.total[Count.BLOCKS, Side.WAS] == len(blocks)
    assert result.tallies.total[Count.MAILS, Side.WOULD] <= alerts
    assert result.facts.usual_blocks == len(blocks)
    first = {each.value: each for each in reversed(blocks)}
    assert {
        client: (each.at, each.until, each.reason, each.scenario, each.simulated)
        for client, each in result.first_blocks.items()
    } == {
        value: (each.created_at, each.until, each.reason, each.scenario, each.simulated)
        for value, each in first.items()
    }


@pytest.mark.parametrize("simulates", [False, True])
def test_both_databases_say_the_same(database: Database, tmp_path: Path, simulates: bool) -> None:
    given_settings = make_settings(tmp_path, simulate_blocks=simulates)
    coming = [
        *crowd(CLIENTS[0], 61, 5, "adversarial_picture"),
        *crowd(CLIENTS[2], 1_901, 4, "probing_sequence"),
        *crowd(CLIENTS[3], 1_903, 4, "probing_sequence"),
        *crowd(CLIENTS[0], 4_001, 5, "adversarial_picture"),
        *crowd(CLIENTS[1], 4_002, 30, None),
        *crowd(CLIENTS[4], 5_001, 60, None),
        *crowd(CLIENTS[4], 5_003, 5, "adversarial_picture"),
    ]
    let_pass(JobContext(database, given_settings, NOW), coming, NOW)
    result = go_through(database, given_settings)
    assert differences(result) == {}
    assert result.tallies.total[Count.BLOCKS, Side.WOULD] >= 3
    assert result.tallies.total[Count.MAILS, Side.WOULD] >= 3
    assert list(result.facts.list_sentences(result.stretch))[1:] == []


def test_pictures_of_an_address_that_many_share_are_blocked_as_they_were(
    database: Database, tmp_path: Path
) -> None:
    given_settings = make_settings(tmp_path)
    ordinary = [Arrival(61 + number, CLIENTS[0], None, 100 + number) for number in range(58)]
    crafted = [Arrival(61 + 3 * n, CLIENTS[0], "probing_sequence", n) for n in range(8)]
    let_pass(JobContext(database, given_settings, NOW), [*ordinary, *crafted], NOW)
    assert {row.scope for row in recorded_blocks(database)} == {"content"}
    result = go_through(database, given_settings)
    assert differences(result) == {}
    assert [*result.first_blocks] == [CLIENTS[0]]


def test_pictures_that_are_enforced_since_they_were_watched_are_judged_anew_once(
    database: Database, tmp_path: Path
) -> None:
    watching = make_settings(tmp_path, simulate_blocks=True, block_minutes=120)
    enforcing, turned_on = make_settings(tmp_path), START + timedelta(minutes=9)
    ordinary = [Arrival(61 + number, CLIENTS[0], None, 100 + number) for number in range(58)]
    crafted = [Arrival(61 + 3 * n, CLIENTS[0], "probing_sequence", n) for n in range(8)]
    let_pass(JobContext(database, watching, NOW), [*ordinary, *crafted], turned_on)
    context = JobContext(database, enforcing, NOW)
    run_jobs(context, turned_on, NOW)
    result = run_backtest(context, Wish(), turned_on, NOW)
    assert differences(result) == {}
    assert result.facts.usual_blocks == result.facts.recorded_blocks == 8


def test_uploads_of_before_a_block_still_tell_what_is_chance(
    database: Database, tmp_path: Path
) -> None:
    given_settings, client = make_settings(tmp_path, block_minutes=5), CLIENTS[1]
    coming = [
        *crowd(client, 11, 4, "polyglot"),
        *(Arrival(61 + number, client) for number in range(60)),
        *crowd(client, 121, 6, "trigger_suspected"),
        # The first ones have just left the window, and so many triggers alone may be chance.
        *crowd(client, 1_301, 4, "polyglot"),
    ]
    let_pass(JobContext(database, given_settings, NOW), coming, NOW)
    result = go_through(database, given_settings)
    assert differences(result) == {}
    assert result.tallies.total[Count.MAILS, Side.WOULD] == 2


def test_an_allow_ends_the_blocks_of_the_trial(database: Database, tmp_path: Path) -> None:
    coming = [
        *crowd(CLIENTS[0], 61, 6, "polyglot"),
        *crowd(CLIENTS[0], 300, 2, None),
        *crowd(CLIENTS[0], 600, 3, None),
    ]
    allowed = make_decision(
        kind=Kind.ALLOW, value=CLIENTS[0], origin=BY_ANALYST, created_by="ada", until=NOW
    )
    with database.write() as session:
        for number, arrival in enumerate(coming):
            add_record(session, arrival.to_record(number))
        add_decision(session, allowed, START + timedelta(seconds=400))
    result = go_through(database, make_settings(tmp_path))
    assert result.tallies.total[Count.BLOCKS, Side.WOULD] == 1
    assert result.tallies.total[Count.REFUSED, Side.WOULD] == 2


def test_a_proposal_waits_no_longer_than_it_did(database: Database) -> None:
    left = timedelta(hours=1)
    with database.write() as session:
        block = make_decision(until=NOW)
        propose(session, block, "Beyond a cap.", START + left - OPEN_FOR)
    with database.read() as session:
        ledger = PastLedger(session, START, NOW)
    assert ledger.list_waiting(START) == {block.value}
    assert ledger.list_waiting(START + left) == set()


def test_what_people_decide_stands(database: Database, tmp_path: Path) -> None:
    given_settings = make_settings(tmp_path)
    context = JobContext(database, given_settings, NOW)
    friend, taken_back = CLIENTS[0], CLIENTS[1]
    with database.write() as session:
        allowed = make_decision(
            kind=Kind.ALLOW, value=friend, origin=BY_ANALYST, created_by="ada", until=NOW
        )
        add_decision(session, allowed, START + timedelta(seconds=1))
    first = [*crowd(friend, 61, 6, "polyglot"), *crowd(taken_back, 62, 6, "polyglot")]
    let_pass(context, first, START + timedelta(minutes=5))
    [block] = recorded_blocks(database)
    with database.write() as session:
        revoke(session, block.id, "ada", "Ours.", START + timedelta(minutes=5))
    result = go_through(database, given_settings, until=START + timedelta(minutes=11))
    assert differences(result) == {}
    assert any(
        sentence.startswith("2 decisions that people made or took back")
        for sentence in result.facts.list_sentences(result.stretch)
    )

"""Decisions: appended, expired, revoked; never deleted."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol, Unpack

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from store.audit.reasons import ReasonError
from store.decisions.access_list import read_access_list
from store.decisions.clients.client_decisions import earlier_blocks, last_change
from store.decisions.decisions import DecisionError, active_decisions, add_decision, revoke
from store.decisions.scopes import Kind, Scope
from store.engine.database import Database
from store.pages.decision_views import decisions_about, list_active_decisions, list_ended_decisions
from store.tables.work_tables import DecisionRow
from tests.makers import DecisionChanges, make_decision

CLIENT, PICTURE = "ip:203.0.113.7", "ab" * 32


class Decide(Protocol):
    """Appends a block of one hour, with changes; gives its key."""

    def __call__(
        self, *, at: datetime = ..., minutes: float = ..., **changes: Unpack[DecisionChanges]
    ) -> int: ...


@pytest.fixture
def decide(database: Database, now: datetime) -> Decide:

    def decided(
        *, at: datetime = now, minutes: float = 60, **changes: Unpack[DecisionChanges]
    ) -> int:
        by_hand = make_decision(
            value=CLIENT,
            scenario="by_hand",
            origin="analyst",
            created_by="tester",
            until=at + timedelta(minutes=minutes),
        )
        new = replace(by_hand, **changes)
        with database.write() as session:
            return add_decision(session, new, at).id

    return decided


def _is_blocked(session: Session, at: datetime, client: str, content: str | None = None) -> bool:
    return read_access_list(session, at).is_blocked(at, [client], content)


def _rows(session: Session) -> list[DecisionRow]:
    return list(session.scalars(select(DecisionRow).order_by(DecisionRow.id)))


def test_a_block_holds_until_its_end_and_not_at_it(
    database: Database, decide: Decide, now: datetime
) -> None:
    decide()
    moments = [now, now + timedelta(minutes=59, seconds=59), now + timedelta(minutes=60)]
    with database.read() as session:
        held = [_is_blocked(session, moment, CLIENT) for moment in moments]
        assert not _is_blocked(session, now, "ip:203.0.113.70")
    assert held == [True, True, False]


def test_a_picture_is_blocked_for_whoever_sends_it(
    database: Database, decide: Decide, now: datetime
) -> None:
    decide(scope=Scope.CONTENT, value=PICTURE)
    with database.read() as session:
        assert _is_blocked(session, now, "cli:local", PICTURE)
        assert not _is_blocked(session, now, "cli:local")
        assert not _is_blocked(session, now, PICTURE, "cd" * 32)


def test_a_simulated_block_is_recorded_and_not_enforced(
    database: Database, decide: Decide, now: datetime
) -> None:
    decide(simulated=True)
    with database.read() as session:
        assert not _is_blocked(session, now, CLIENT)
        [row] = active_decisions(session, now, Scope.CLIENT, CLIENT, Kind.BLOCK)
    assert row.simulated


def test_an_allowed_client_may_send_a_blocked_picture(
    database: Database, decide: Decide, now: datetime
) -> None:
    decide(scope=Scope.CONTENT, value=PICTURE)
    decide(kind=Kind.ALLOW)
    with database.read() as session:
        assert not _is_blocked(session, now, CLIENT, PICTURE)
        assert _is_blocked(session, now, "cli:local", PICTURE)


def test_allowing_revokes_the_blocks_of_the_same_value_only(
    database: Database, decide: Decide, now: datetime
) -> None:
    revoked = {decide(), decide(simulated=True)}
    decide(value="ip:198.51.100.9")
    decide(kind=Kind.ALLOW, reason="Our own probe.", created_by="chief")
    with database.read() as session:
        gone = [row for row in _rows(session) if row.revoked_at is not None]
    assert {row.id for row in gone} == revoked
    assert {(row.revoked_at, row.revoked_by, row.revoked_reason) for row in gone} == {
        (now, "chief", "Allowed: Our own probe.")
    }


@pytest.mark.parametrize("minutes", [0, -5])
def test_a_decision_must_end_in_the_future(
    database: Database, decide: Decide, minutes: float
) -> None:
    with pytest.raises(DecisionError, match="in the future"):
        decide(minutes=minutes)
    with database.read() as session:
        assert _rows(session) == []


def test_revoking_ends_a_block_and_keeps_who_and_why(
    database: Database, decide: Decide, now: datetime
) -> None:
    block = decide()
    later = now + timedelta(minutes=1)
    with database.write() as session:
        revoke(session, block, "chief", "  A mistake. ", later)
    with database.read() as session:
        assert not _is_blocked(session, later, CLIENT)
        [row] = _rows(session)
        assert last_change(session, CLIENT, simulated_too=True) == later
        assert earlier_blocks(session, CLIENT, simulated_too=True) == 0
    assert (row.revoked_at, row.revoked_by, row.revoked_reason) == (later, "chief", "A mistake.")


def test_what_is_over_cannot_be_revoked_again(
    database: Database, decide: Decide, now: datetime
) -> None:
    block, expired = decide(), decide(minutes=1)
    with database.write() as session:
        revoke(session, block, "chief", "A mistake.", now)
    at_end = now + timedelta(minutes=1)
    for key, at, why in (
        (block, now, "is not active any more: chief revoked it at 2026-03-02 12:00 UTC"),
        (expired, at_end, "is not active any more: it ended by itself at 2026-03-02 12:01 UTC"),
        (999, now, "There is no decision 999"),
    ):
        with pytest.raises(DecisionError, match=why), database.write() as session:
            revoke(session, key, "ada", "Again.", at)


def test_of_two_people_who_revoke_at_once_the_second_is_told_who_was_first(
    database: Database, decide: Decide, now: datetime
) -> None:
    block = decide()
    sentences = []

    def revoke_as(who: str) -> None:
        try:
            with database.write() as session:
                revoke(session, block, who, "A mistake.", now)
        except DecisionError as error:
            sentences.append((who, str(error)))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(revoke_as, ("ada", "grace")))
    [(second, sentence)] = sentences
    first = {"ada": "grace", "grace": "ada"}[second]
    assert f"{first} revoked it at 2026-03-02 12:00 UTC (A mistake.)" in sentence


@pytest.mark.parametrize(
    ("allowed", "scope", "revoked"),
    [
        (
            "203.0.113.0/24",
            Scope.NETWORK,
            {"ip:203.0.113.7", "203.0.113.0/25", "203.0.113.0/24"},
        ),
        ("ip:203.0.113.7", Scope.CLIENT, {"ip:203.0.113.7"}),
        ("2001:db8::/48", Scope.NETWORK, {"ip:2001:db8::/64"}),
        ("ab" * 32 + "/12", Scope.SIMILAR, {"ab" * 32 + "/4", "ab" * 31 + "bb/31"}),
    ],
)
def test_an_allow_cancels_blocks_of_every_part_of_it(
    database: Database,
    decide: Decide,
    now: datetime,
    allowed: str,
    scope: Scope,
    revoked: set[str],
) -> None:
    for value in ("ip:203.0.113.7", "ip:203.0.114.7", "ip:2001:db8::7", "ip:2001:db9::7"):
        decide(value=value)
    for value in ("203.0.113.0/25", "203.0.113.0/24", "203.0.112.0/22", "2001:db8::/32"):
        decide(scope=Scope.NETWORK, value=value)
    for value in ("ab" * 32 + "/4", "ab" * 31 + "bb/31", "54" * 32 + "/31"):
        decide(scope=Scope.SIMILAR, value=value)
    decide(kind=Kind.ALLOW, scope=scope, value=allowed, reason="Ours.")
    with database.read() as session:
        gone = [row for row in _rows(session) if row.revoked_at is not None]
        assert {row.value for row in gone} == revoked
        assert {row.revoked_reason for row in gone} == {"Allowed: Ours."}


def test_revoking_needs_a_reason(database: Database, decide: Decide, now: datetime) -> None:
    block = decide()
    with pytest.raises(ReasonError, match="why"), database.write() as session:
        revoke(session, block, "chief", " \n", now)
    with database.read() as session:
        assert _is_blocked(session, now, CLIENT)


def test_history_is_counted_for_the_next_duration(
    database: Database, decide: Decide, now: datetime
) -> None:
    with database.read() as session:
        assert (
            earlier_blocks(session, CLIENT, simulated_too=True),
            last_change(session, CLIENT, simulated_too=True),
        ) == (0, None)
    decide(at=now - timedelta(days=3), minutes=5)
    decide(at=now - timedelta(days=2), simulated=True)
    decide(scope=Scope.CONTENT, value=CLIENT)
    with database.read() as session:
        assert earlier_blocks(session, CLIENT, simulated_too=True) == 2
        assert last_change(session, CLIENT, simulated_too=True) == now - timedelta(days=2)
        assert earlier_blocks(session, CLIENT, simulated_too=False) == 1
        assert last_change(session, CLIENT, simulated_too=False) == now - timedelta(days=3)


def test_the_page_lists_what_holds_and_what_is_over(
    database: Database, decide: Decide, now: datetime
) -> None:
    over = decide(at=now - timedelta(hours=2), minutes=30)
    first = decide(evidence={"outliers": 4})
    second = decide(value="ip:198.51.100.9", simulated=True)
    revoked = decide(scope=Scope.CONTENT, value=PICTURE)
    with database.write() as session:
        revoke(session, revoked, "chief", "A mistake.", now)
    with database.read() as session:
        active, ended = list_active_decisions(session, now), list_ended_decisions(session, now)
        about = decisions_about(session, CLIENT, PICTURE)
        assert [entry.id for entry in decisions_about(session, CLIENT, None)] == [first, over]
    assert [entry.id for entry in active] == [second, first]
    assert [entry.id for entry in ended] == [revoked, over]
    assert [entry.id for entry in about] == [revoked, first, over]
    assert [entry.active(now) for entry in about] == [False, True, False]
    assert active[1].evidence == {"outliers": 4}
    assert (active[0].kind, active[0].scope, active[0].simulated) == (
        Kind.BLOCK,
        Scope.CLIENT,
        True,
    )

"""Change marks: every change of decisions and keys moves its mark, in the same transaction."""

from datetime import datetime, timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import NoResultFound

from store.decisions.decisions import NewDecision, add_decision, revoke
from store.decisions.scopes import Kind, Scope
from store.engine.change_marks import Mark, move_mark, read_marks
from store.engine.database import Database
from store.people.api_keys import add_key, revoke_key
from store.tables.work_tables import ChangeMarkRow
from tests.waiting import wait_for


def _versions(database: Database) -> tuple[int, int]:
    with database.read() as session:
        marks = read_marks(session)
    return marks[Mark.DECISIONS], marks[Mark.API_KEYS]


def _block(now: datetime, kind: Kind = Kind.BLOCK) -> NewDecision:
    until = now + timedelta(hours=1)
    client = "ip:203.0.113.7"
    return NewDecision(kind, Scope.CLIENT, client, "by_hand", "analyst", "A test.", "ada", until)


def test_the_migrations_make_a_row_for_every_mark(database: Database) -> None:
    with database.read() as session:
        assert read_marks(session) == {mark.value: 0 for mark in Mark}


def test_decisions_move_their_mark_and_no_other(database: Database, now: datetime) -> None:
    with database.write() as session:
        block = add_decision(session, _block(now), now).id
    added = _versions(database)
    with database.write() as session:
        revoke(session, block, "ada", "A mistake.", now)
    revoked = _versions(database)
    with database.write() as session:
        add_decision(session, _block(now, Kind.ALLOW), now)
    assert 0 < added[0] < revoked[0] < _versions(database)[0]
    assert _versions(database)[1] == 0


def test_keys_move_their_mark_and_no_other(database: Database, now: datetime) -> None:
    with database.write() as session:
        add_key(session, "acme", "ada", now)
    added = _versions(database)
    with database.write() as session:
        revoke_key(session, "acme", "ada", now)
    assert 0 < added[1] < _versions(database)[1]
    assert _versions(database)[0] == 0


def test_a_change_that_is_rolled_back_leaves_the_mark(database: Database, now: datetime) -> None:
    def fail() -> None:
        with database.write() as session:
            add_decision(session, _block(now), now)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert _versions(database) == (0, 0)


def test_changes_at_the_same_time_are_all_counted(database: Database, now: datetime) -> None:
    moved, done = Event(), Event()

    def second() -> None:
        moved.wait(60)
        with database.write() as session:
            move_mark(session, Mark.DECISIONS)
        done.set()

    thread = Thread(target=second)
    thread.start()
    with database.write() as session:
        move_mark(session, Mark.DECISIONS)
        moved.set()
        # The second one waits for this transaction; nobody sees a version before it is committed.
        assert not done.wait(0.2)
        assert _versions(database) == (0, 0)
    thread.join(60)
    wait_for(done.is_set)
    assert _versions(database) == (2, 0)


def test_a_mark_that_is_missing_is_no_silent_success(database: Database) -> None:
    with database.write() as session:
        session.execute(delete(ChangeMarkRow))
    with pytest.raises(NoResultFound), database.write() as session:
        move_mark(session, Mark.DECISIONS)

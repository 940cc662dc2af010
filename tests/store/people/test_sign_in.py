from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from store.engine.database import Database, StoreUnavailable
from store.people.sign_in import (
    end_session,
    hold_session,
    issue_token,
    redeem_token,
    session_subject,
    token_is_open,
)
from store.settings import StoreSettings
from store.tables.work_tables import LoginTokenRow

TEN_MINUTES, DAY = timedelta(minutes=10), timedelta(days=1)


@pytest.fixture
def token(database: Database, now: datetime) -> str:
    with database.write() as session:
        return issue_token(session, "analyst@example.org", now, TEN_MINUTES)


def _redeem(database: Database, token: str, at: datetime) -> str | None:
    with database.write() as session:
        return redeem_token(session, token, at, DAY)


def _subject(database: Database, secret: str, at: datetime) -> str | None:
    with database.read() as session:
        return session_subject(session, secret, at)


def test_a_token_becomes_a_session_once(database: Database, token: str, now: datetime) -> None:
    secret = _redeem(database, token, now)
    assert secret is not None
    assert _subject(database, secret, now) == "analyst@example.org"
    assert _redeem(database, token, now) is None


def test_looking_at_a_token_does_not_use_it_up(
    database: Database, token: str, now: datetime
) -> None:
    def is_open(at: datetime) -> bool:
        with database.read() as session:
            return token_is_open(session, token, at)

    assert [is_open(now), is_open(now), is_open(now + TEN_MINUTES)] == [True, True, False]
    secret = _redeem(database, token, now)
    assert secret is not None
    assert not is_open(now)
    with database.read() as session:
        assert not token_is_open(session, secret, now)


def test_of_several_browsers_at_once_one_gets_the_session(
    database: Database, token: str, now: datetime
) -> None:
    with ThreadPoolExecutor(4) as pool:
        secrets = list(pool.map(lambda _: _redeem(database, token, now), range(4)))
    assert sum(secret is not None for secret in secrets) == 1


def test_a_token_is_good_until_its_end(database: Database, token: str, now: datetime) -> None:
    assert _redeem(database, token, now + TEN_MINUTES) is None
    assert _redeem(database, token, now + TEN_MINUTES - timedelta(seconds=1)) is not None


def test_a_session_is_good_until_its_end(database: Database, token: str, now: datetime) -> None:
    secret = _redeem(database, token, now)
    assert secret is not None
    assert _subject(database, secret, now + DAY - timedelta(seconds=1)) is not None
    assert _subject(database, secret, now + DAY) is None


def test_signing_out_ends_this_session_only(database: Database, now: datetime) -> None:
    with database.write() as session:
        tokens = [issue_token(session, name, now, TEN_MINUTES) for name in ("one", "two")]
    first, second = (_redeem(database, token, now) for token in tokens)
    assert first is not None
    assert second is not None
    with database.write() as session:
        end_session(session, first, now)
    assert _subject(database, first, now) is None
    assert _subject(database, second, now) == "two"


def test_tokens_and_sessions_do_not_stand_for_each_other(
    database: Database, token: str, now: datetime
) -> None:
    assert _subject(database, token, now) is None
    secret = _redeem(database, token, now)
    assert secret is not None
    assert _redeem(database, secret, now) is None


def test_guesses_are_worth_nothing(database: Database, token: str, now: datetime) -> None:
    for guess in ("", token[:-1], token.swapcase(), "é\x00"):
        assert _redeem(database, guess, now) is None
        assert _subject(database, guess, now) is None


def test_only_hashes_are_stored(database: Database, token: str, now: datetime) -> None:
    secret = _redeem(database, token, now)
    with database.read() as session:
        rows = session.scalars(select(LoginTokenRow)).all()
    stored = " ".join(str(value) for row in rows for value in row.__dict__.values())
    assert len(rows) == 2
    assert token not in stored
    assert str(secret) not in stored


def test_a_session_that_is_held_does_not_end_meanwhile(
    database: Database, store_settings: StoreSettings, token: str, now: datetime
) -> None:
    secret = _redeem(database, token, now)
    assert secret is not None
    impatient = Database.open(store_settings.model_copy(update={"database_wait_seconds": 0.1}))
    with closing(impatient), database.write() as holder:
        assert hold_session(holder, secret, now) == "analyst@example.org"
        with pytest.raises(StoreUnavailable), impatient.write() as session:
            end_session(session, secret, now)
    assert _subject(database, secret, now) == "analyst@example.org"


def test_a_session_that_is_over_cannot_be_held(
    database: Database, token: str, now: datetime
) -> None:
    secret = _redeem(database, token, now)
    assert secret is not None
    with database.write() as session:
        end_session(session, secret, now)
        assert hold_session(session, secret, now) is None
        assert hold_session(session, "", now) is None

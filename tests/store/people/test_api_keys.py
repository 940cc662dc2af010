"""API keys: hashes only, one name for one key, revoked for good."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from store.decisions.access_list import ActiveKey, read_access_list
from store.engine.database import Database
from store.people.api_keys import (
    ApiKey,
    BadKeyName,
    KeyNameTaken,
    KeyNotActive,
    add_key,
    is_key_name,
    key_digest,
    list_keys,
    revoke_key,
)
from store.people.key_scopes import KeyScope
from store.tables.work_tables import ApiKeyRow


def _add(database: Database, name: str, now: datetime) -> str:
    with database.write() as session:
        return add_key(session, name, "ada", now)


def _revoke(database: Database, name: str, now: datetime) -> None:
    with database.write() as session:
        revoke_key(session, name, "chief", now)


def _client_of(database: Database, secret: str, now: datetime) -> str | None:
    with database.read() as session:
        key = read_access_list(session, now).find_key(secret)
    return None if key is None else key.client


def test_only_the_hash_of_a_key_is_stored(database: Database, now: datetime) -> None:
    secret = _add(database, "acme", now)
    assert secret.startswith("mwk_")
    assert len(secret) == len("mwk_") + 43  # 256 bits at six a character
    with database.read() as session:
        stored = session.execute(text("SELECT * FROM api_keys")).one()
    assert stored.key_sha256 == key_digest(secret)
    shown = " ".join(str(value) for value in stored)
    assert secret not in shown
    assert secret.removeprefix("mwk_") not in shown


def test_each_key_is_its_own_and_names_its_client(database: Database, now: datetime) -> None:
    secrets = {name: _add(database, name, now) for name in ("acme", "Acme", "a.b-c_1")}
    assert len(set(secrets.values())) == 3
    for name, secret in secrets.items():
        assert _client_of(database, secret, now) == f"key:{name}"


def test_guesses_are_nobodys_key(database: Database, now: datetime) -> None:
    secret = _add(database, "acme", now)
    guesses = ("", "mwk_", secret[:-1], secret + "A", secret.swapcase(), secret[4:], "é\x00")
    for guess in (*guesses, key_digest(secret)):
        assert _client_of(database, guess, now) is None
    assert _client_of(database, secret, now) == "key:acme"


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a/b", "key:acme", "é", "acme\n", "٣", "a" * 61, "<b>", "mwk_abc"]
)
def test_a_bad_name_is_refused(database: Database, now: datetime, name: str) -> None:
    assert not is_key_name(name)
    with pytest.raises(BadKeyName, match="1 to 60 letters"):
        _add(database, name, now)
    with database.read() as session:
        assert list_keys(session) == ()


def test_the_longest_name_fits_its_column(database: Database, now: datetime) -> None:
    secret = _add(database, "a" * 60, now)
    assert _client_of(database, secret, now) == "key:" + "a" * 60


def test_a_name_is_taken_for_ever(database: Database, now: datetime) -> None:
    secret = _add(database, "acme", now)
    with pytest.raises(KeyNameTaken, match="named acme already"):
        _add(database, "acme", now)
    assert _client_of(database, secret, now) == "key:acme"
    _revoke(database, "acme", now)
    with pytest.raises(KeyNameTaken, match="active or revoked"):
        _add(database, "acme", now)


def test_of_several_that_want_a_name_at_once_one_gets_it(database: Database, now: datetime) -> None:
    def wanted(_number: int) -> bool:
        try:
            return bool(_add(database, "acme", now))
        except KeyNameTaken:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(wanted, range(4))) == 1


def test_a_revoked_key_is_nobodys_and_says_who_revoked_it(
    database: Database, now: datetime
) -> None:
    gone, kept = _add(database, "gone", now), _add(database, "kept", now)
    later = now + timedelta(minutes=1)
    _revoke(database, "gone", later)
    assert _client_of(database, gone, later) is None
    assert _client_of(database, kept, later) == "key:kept"
    with database.read() as session:
        assert list_keys(session) == (
            ApiKey("gone", (KeyScope.PARSE,), now, "ada", later, "chief"),
            ApiKey("kept", (KeyScope.PARSE,), now, "ada", None, None),
        )


def test_what_is_not_active_cannot_be_revoked(database: Database, now: datetime) -> None:
    _add(database, "acme", now)
    _revoke(database, "acme", now)
    with pytest.raises(KeyNotActive, match="The key acme is revoked already"):
        _revoke(database, "acme", now + timedelta(hours=1))
    with pytest.raises(KeyNotActive, match="There is no key named other"):
        _revoke(database, "other", now)
    with database.read() as session:
        assert session.scalars(select(ApiKeyRow.revoked_at)).one() == now


def test_a_key_is_good_for_what_it_was_made_for(database: Database, now: datetime) -> None:
    both = frozenset(KeyScope)
    with database.write() as session:
        usual = add_key(session, "usual", "ada", now)
        watcher = add_key(session, "watcher", "ada", now, {KeyScope.OBSERVE})
        all_round = add_key(session, "all_round", "ada", now, both)
    with database.read() as session:
        access = read_access_list(session, now)
        listed = {key.name: key.scopes for key in list_keys(session)}
    assert access.find_key(usual) == ActiveKey("key:usual", frozenset({KeyScope.PARSE}))
    assert access.find_key(watcher) == ActiveKey("key:watcher", frozenset({KeyScope.OBSERVE}))
    assert access.find_key(all_round) == ActiveKey("key:all_round", both)
    assert set(listed["all_round"]) == both


def test_scopes_that_this_version_does_not_know_give_no_rights(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        session.add(_make_row("later", now))
    with database.read() as session:
        access = read_access_list(session, now)
    assert access.find_key("later") == ActiveKey("key:later", frozenset())


def _make_row(name: str, now: datetime) -> ApiKeyRow:
    return ApiKeyRow(
        name=name, key_sha256=key_digest(name), scopes=["moon"], created_at=now, created_by="ada"
    )

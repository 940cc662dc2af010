"""``maskwatch keys``: what is printed, what is kept, and one sentence for what goes wrong."""

import json
import os
import pwd
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store.audit.actors import operator
from store.decisions.access_list import read_access_list
from store.engine.database import Database
from store.settings import StoreSettings
from tests.maskwatch.conftest import Run


def _client_of(folder: Path, secret: str) -> str | None:
    database = Database.open(StoreSettings(var_dir=folder / "var"))
    with database.read() as session:
        key = read_access_list(session, datetime.now(UTC)).find_key(secret)
    database.close()
    return None if key is None else key.client


def test_a_new_key_is_all_that_goes_to_standard_output_and_is_shown_once(
    maskwatch: Run, tmp_path: Path
) -> None:
    said = maskwatch("keys", "add", "acme")
    assert said.code == 0
    assert re.fullmatch(r"mwk_[A-Za-z0-9_-]{43}\n", said.out)
    assert "cannot be shown again" in said.err
    secret = said.out.strip()
    assert secret not in said.err
    assert _client_of(tmp_path, secret) == "key:acme"
    for options in ([], ["--json"]):
        assert secret.removeprefix("mwk_") not in maskwatch("keys", "list", *options).out
    stored = b"".join(path.read_bytes() for path in (tmp_path / "var").rglob("maskwatch.db*"))
    assert b"acme" in stored
    assert secret.encode() not in stored


def test_a_revoked_key_is_nobodys_and_stays_in_the_list(maskwatch: Run, tmp_path: Path) -> None:
    gone, kept = (maskwatch("keys", "add", name).out.strip() for name in ("gone", "kept"))
    said = maskwatch("keys", "revoke", "gone")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("The key gone is revoked")
    assert (_client_of(tmp_path, gone), _client_of(tmp_path, kept)) == (None, "key:kept")

    first, second = maskwatch("keys", "list").out.splitlines()
    assert re.match(r"gone +revoked +20\d\d-", first)
    assert re.match(r"kept +active +for parse, made 20\d\d-", second)

    listed = [json.loads(line) for line in maskwatch("keys", "list", "--json").out.splitlines()]
    me = pwd.getpwuid(os.geteuid()).pw_name
    assert [(key["name"], key["created_by"], key["revoked_by"]) for key in listed] == [
        ("gone", me, me),
        ("kept", me, None),
    ]
    assert listed[1]["revoked_at"] is None
    for moment in (listed[0]["created_at"], listed[0]["revoked_at"]):
        assert datetime.fromisoformat(moment).tzinfo is not None


def test_a_key_is_for_parsing_unless_it_is_made_for_something_else(maskwatch: Run) -> None:
    for words in (["usual"], ["seer", "--scope", "observe"]):
        assert maskwatch("keys", "add", *words).code == 0
    assert maskwatch("keys", "add", "both", "--scope", "observe", "--scope", "parse").code == 0
    lines = maskwatch("keys", "list", "--json").out.splitlines()
    scopes = {key["name"]: key["scopes"] for key in map(json.loads, lines)}
    assert scopes == {"usual": ["parse"], "seer": ["observe"], "both": ["observe", "parse"]}
    assert "for observe, parse, made" in maskwatch("keys", "list").out
    assert maskwatch("keys", "add", "moon", "--scope", "moon").code == 2


def test_without_keys_the_list_is_empty(maskwatch: Run) -> None:
    assert maskwatch("db", "upgrade").code == 0
    said = maskwatch("keys", "list", "--json")
    assert (said.code, said.out, said.err) == (0, "", "")


def test_what_goes_wrong_is_one_sentence(maskwatch: Run) -> None:
    assert maskwatch("keys", "add", "acme").code == 0
    assert maskwatch("keys", "revoke", "acme").code == 0
    for words, sentence in (
        (("add", "acme"), "There is a key named acme already"),
        (("add", "two words"), "A key's name has 1 to 60 letters"),
        (("revoke", "acme"), "The key acme is revoked already."),
        (("revoke", "other"), "There is no key named other"),
        (("revoke", "[red]x[/]"), "There is no key named [red]x[/]"),
    ):
        said = maskwatch("keys", *words)
        assert (said.code, said.out) == (1, "")
        assert said.err.startswith(f"maskwatch: {sentence}")
        assert said.err.count("\n") == 1


def test_an_account_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_001)
    assert operator() == "uid 4000000001"

"""The database's address: nothing of a password is shown, whatever characters it has."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import make_url

from store.configuration.database_address import AddressParts, read_address, server_address
from store.configuration.names import SettingsError
from store.engine.database import Database
from store.engine.schema.versions import current_revision
from store.settings import StoreSettings, load_settings

_START = "postgresql+psycopg://robot:"
_PARTS = {
    "MASKWATCH_DATABASE_HOST": "db.example",
    "MASKWATCH_DATABASE_PORT": "6432",
    "MASKWATCH_DATABASE_NAME": "masks",
    "MASKWATCH_DATABASE_USER": "robot@example",
}


def _says(error: SettingsError, secret: str) -> bool:
    return any(part in str(error) for part in re.split(r"[@/:?#%=]", secret) if len(part) > 2)


@pytest.mark.parametrize(
    "password",
    ["hun@ter2", "hun@ter/owl", "hun@ter:7/owl", "hun@ter?owl", "hun@ter?owl=dog", "@@hunter"],
)
def test_a_raw_password_that_is_read_as_a_host_is_refused_without_a_word_of_it(
    password: str,
) -> None:
    with pytest.raises(SettingsError, match=r"@ as %40.* or set MASKWATCH_DATABASE_|%3F") as told:
        read_address(f"{_START}{password}@db.example/masks")
    assert not _says(told.value, password)
    assert told.value.__cause__ is None


def test_a_raw_user_is_refused_as_well() -> None:
    with pytest.raises(SettingsError, match="in two ways"):
        read_address("postgresql+psycopg://hun/ter:owl@db.example/masks")


@pytest.mark.parametrize("password", ["hun/ter", "hun?ter", "hun#ter", "hun:ter", "100%", "a=b&c"])
def test_a_raw_password_that_can_be_read_in_one_way_is_taken(password: str) -> None:
    address = read_address(f"{_START}{password}@db.example/masks")
    assert (address.password, address.host) == (password, "db.example")


@given(password=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=3))
def test_no_password_becomes_a_host(password: str) -> None:
    assume("%" not in password)
    told = ""
    try:
        address = read_address(f"{_START}\N{SNOWMAN}{password}@db.example/masks")
    except SettingsError as error:
        told = str(error)
    else:
        assert (address.host, address.database) == ("db.example", "masks")
        assert address.password == f"\N{SNOWMAN}{password}"
    assert "\N{SNOWMAN}" not in told


@given(password=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
def test_a_password_given_apart_is_taken_as_it_is(password: str) -> None:
    parts = AddressParts(host="db.example", user="ro@bot", password=password)
    address = server_address(parts, None)
    assert address.password == password
    assert make_url(address.render_as_string(hide_password=False)) == address
    assert (
        server_address(AddressParts(password=password), "postgresql://u@h/d").password == password
    )


def test_options_may_hold_what_a_password_may_not() -> None:
    address = read_address("postgresql://db.example/masks?user=robot@example&connect_timeout=5")
    assert address.query["user"] == "robot@example"


def test_an_option_that_libpq_does_not_know_is_refused_unnamed() -> None:
    with pytest.raises(SettingsError, match="an option behind its") as told:
        read_address("postgresql://robot@db.example/masks?hunter2=3")
    assert "hunter" not in str(told.value)


def test_all_parts_can_be_given_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss/w?rd#%41:x\n")
    for name, value in _PARTS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MASKWATCH_DATABASE_PASSWORD_FILE", str(tmp_path / "password"))
    settings = load_settings(StoreSettings)
    address = settings.store.database_address()
    assert (address.host, address.port, address.database) == ("db.example", 6432, "masks")
    assert (address.username, address.password) == ("robot@example", "p@ss/w?rd#%41:x")
    assert "p@ss" not in repr(settings)
    assert read_address(settings.store.effective_database_url()) == address


@pytest.mark.parametrize(
    ("url", "parts", "sentence"),
    [
        (None, {"database_user": "robot"}, "its host is not: set MASKWATCH_DATABASE_HOST"),
        ("sqlite:///x.db", {"database_host": "h"}, "names a SQLite file, and a part"),
        ("postgresql://u:hunter2@h/d", {"database_password": "p"}, "DATABASE_PASSWORD is set, and"),
        ("postgresql://u@h/d", {"database_user": "u"}, "DATABASE_USER is set, and"),
        ("postgresql://u@h/d", {"database_name": "d"}, "DATABASE_NAME is set, and"),
        ("postgresql:///d?host=/tmp", {"database_host": "h"}, "DATABASE_HOST is set, and"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(
    url: str | None, parts: dict[str, str], sentence: str
) -> None:
    given = {"database_url": SecretStr(url)} if url else {}
    settings = StoreSettings(**given, **parts)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=sentence) as told:
        Database.open(settings)
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize("store_settings", ["postgresql"], indirect=True)
def test_a_socket_and_a_password_of_any_kind_reach_the_server(
    store_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = store_settings.store.database_address()
    parts = {
        "database_host": str(address.query["host"]),
        "database_name": address.database,
        "database_user": address.username,
        "database_password": "p@ss/w?rd#%41:x",
    }
    for name, value in parts.items():
        monkeypatch.setenv(f"MASKWATCH_{name.upper()}", str(value))
    database = Database.open(load_settings(StoreSettings))
    assert current_revision(database) is not None
    database.close()


def test_the_command_line_says_what_to_do_and_nothing_of_the_password(tmp_path: Path) -> None:
    url = f"{_START}hun@ter2/secret@db.example/masks"
    done = subprocess.run(
        [sys.executable, "-m", "maskwatch", "db", "check"],
        env=os.environ | {"MASKWATCH_DATABASE_URL": url, "MASKWATCH_VAR_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "@ as %40" in done.stderr
    assert not {"hun@", "ter2", "secret"} & set(re.split(r"[\s\"'/:@]", done.stdout + done.stderr))

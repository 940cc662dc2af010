"""Commands that only look make nothing: neither folder nor file, wherever they are called."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.main import get_command

from maskwatch.cli import app
from tests.maskwatch.conftest import Run
from tools.commands_table import list_commands

# What each says of a database that nobody has made; `None`: it needs none.
_NO_DATABASE = "There is no database"
READING: dict[tuple[str, ...], str | None] = {
    ("audit", "list", "--json"): _NO_DATABASE,
    ("audit", "verify"): _NO_DATABASE,
    ("backtest", "--since", "7d"): _NO_DATABASE,
    ("baselines", "compare", "1", "2"): _NO_DATABASE,
    ("baselines", "list"): _NO_DATABASE,
    ("baselines", "promote", "1"): _NO_DATABASE,
    ("baselines", "rollback", "0"): _NO_DATABASE,
    ("baselines", "show", "1"): _NO_DATABASE,
    ("config", "check"): None,
    ("config", "show"): None,
    ("dashboard-link",): "MASKWATCH_DASHBOARD_PORT is 0",
    ("db", "backup", "--out", "copy"): _NO_DATABASE,
    ("db", "check"): "There is none yet",
    ("decisions", "accept", "1", "--reason", "It attacks."): _NO_DATABASE,
    ("decisions", "add", "203.0.113.7", "--reason", "It attacks."): _NO_DATABASE,
    ("decisions", "allow", "203.0.113.7", "--reason", "Ours."): _NO_DATABASE,
    ("decisions", "decline", "1", "--reason", "Ours."): _NO_DATABASE,
    ("decisions", "export"): _NO_DATABASE,
    ("decisions", "import", "none.csv"): "none.csv",
    ("decisions", "list"): _NO_DATABASE,
    ("decisions", "revoke", "1", "--reason", "Ours."): _NO_DATABASE,
    ("decisions", "show", "1"): _NO_DATABASE,
    ("detectors", "compare", "1", "2"): _NO_DATABASE,
    ("detectors", "freeze", "clean", "--reason", "Vetted."): _NO_DATABASE,
    ("detectors", "frozen"): _NO_DATABASE,
    ("detectors", "list"): _NO_DATABASE,
    ("detectors", "promote", "1", "--reason", "Better."): _NO_DATABASE,
    ("detectors", "rollback", "--reason", "Worse."): _NO_DATABASE,
    ("detectors", "show", "1"): _NO_DATABASE,
    ("doctor",): "made at the first start",
    ("erase", "--client", "ip:203.0.113.9"): _NO_DATABASE,
    ("explain", "none.jpg"): _NO_DATABASE,
    ("export", "--since", "1d", "--out", "requests.parquet"): _NO_DATABASE,
    ("families", "list"): _NO_DATABASE,
    ("families", "show", "1"): _NO_DATABASE,
    ("feedback", "confirm", "1", "--reason", "It attacks."): _NO_DATABASE,
    ("feedback", "dismiss", "1", "--reason", "Ours."): _NO_DATABASE,
    ("feedback", "withdraw", "1", "--reason", "A mistake."): _NO_DATABASE,
    ("feedback", "propose"): _NO_DATABASE,
    ("feedback", "status"): _NO_DATABASE,
    ("detectors", "show", "r1"): _NO_DATABASE,
    ("detectors", "rollback", "--reranker", "--reason", "It misled."): _NO_DATABASE,
    ("jobs", "health"): _NO_DATABASE,
    ("jobs", "list"): None,
    ("jobs", "status"): _NO_DATABASE,
    ("keys", "list"): _NO_DATABASE,
    ("keys", "revoke", "nobody"): _NO_DATABASE,
    ("model", "check", "none"): "none",
    ("model", "show", "none"): "none",
    ("model", "verify", "none"): "none",
    ("proxy", "presets"): None,
    ("rescore", "--since", "1d"): _NO_DATABASE,
    ("screen", "none.jpg"): "none.jpg",
}
WITHOUT_DATABASE = [words for words, sentence in READING.items() if sentence == _NO_DATABASE]
# These start processes, record what they do, or write what they are asked to write.
WRITING = {
    *(("up",), ("serve",), ("dashboard",), ("demo",), ("jobs",), ("proxy",), ("parse",), ("scan",)),
    *(("jobs", "run"), ("config", "init"), ("db", "restore"), ("db", "upgrade"), ("keys", "add")),
    *(("model", "sign"), ("model", "learn-baseline"), ("decisions", "enable")),
}


@pytest.fixture
def elsewhere(maskwatch: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The command line in an empty folder, without the environment of the service."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MASKWATCH_VAR_DIR")
    return maskwatch


def test_every_command_is_listed_here_as_one_that_looks_or_one_that_writes() -> None:
    names = [path for path, _ in list_commands(get_command(app))]
    assert [each for each in names if not _is_listed(each)] == []
    assert set(names) >= WRITING


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_command_that_looks_makes_nothing_and_says_what_is_not_there(
    elsewhere: Run, words: tuple[str, ...]
) -> None:
    said = elsewhere(*words)
    sentence = READING[words]
    assert sentence is None or sentence in said.out + said.err
    if sentence == _NO_DATABASE:
        assert (said.code, said.out) == (1, "")
        assert "MASKWATCH_VAR_DIR" in said.err
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("words", WITHOUT_DATABASE, ids=" ".join)
def test_a_command_that_looks_makes_no_tables_either(
    elsewhere: Run, words: tuple[str, ...]
) -> None:
    file = Path("var/maskwatch.db")
    file.parent.mkdir()
    file.touch()
    said = elsewhere(*words)
    assert (said.code, said.out) == (1, "")
    assert "The database has no tables yet" in said.err
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []


def test_a_command_that_makes_a_database_says_where(elsewhere: Run) -> None:
    said = elsewhere("keys", "add", "acme")
    assert said.code == 0
    assert str(Path("var/maskwatch.db").absolute()) in said.err


def _is_listed(names: tuple[str, ...]) -> bool:
    return names in WRITING or any(words[: len(names)] == names for words in READING)

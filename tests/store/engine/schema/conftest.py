"""Tests of migrations run them."""

from functools import cache
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from store.engine.schema import versions
from store.engine.schema.alembic_config import alembic_config


@pytest.fixture(autouse=True)
def migrations_run(quick_databases: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the script that makes tables for other tests."""
    monkeypatch.setattr(versions, "command", command)


@pytest.fixture(autouse=True)
def migrations_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each module of a folder is compiled and run once, not at every step back or forth."""
    monkeypatch.setattr(ScriptDirectory, "from_config", _take_scripts)


_read_scripts = ScriptDirectory.from_config


def _take_scripts(config: Config) -> ScriptDirectory:
    """The same modules for the same folder."""
    return _scripts_of(str(config.get_main_option("script_location")))


@cache
def _scripts_of(folder: str) -> ScriptDirectory:
    return _read_scripts(alembic_config(Path(folder), None))

"""What other tests take for migrated is what migrations leave."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from store.engine.database import Database
from store.engine.schema import versions
from store.settings import StoreSettings
from tests.quick_databases import QuickCommand


def test_the_script_makes_what_the_migrations_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrated = _dump_new_file(tmp_path / "migrated")
    monkeypatch.setattr(versions, "command", QuickCommand)
    assert _dump_new_file(tmp_path / "scripted") == migrated
    assert len(migrated) > 50


def _dump_new_file(folder: Path) -> Sequence[str]:
    with closing(Database.open(StoreSettings(var_dir=folder))) as database:
        versions.upgrade(database)
    with closing(sqlite3.connect(folder / "maskwatch.db")) as file:
        return sorted(_sort_lines(statement) for statement in file.iterdump())


def _sort_lines(statement: str) -> str:
    """A table that a migration makes anew has its constraints in any order, as its indexes."""
    return "\n".join(sorted(line.strip(" \t,") for line in statement.splitlines()))

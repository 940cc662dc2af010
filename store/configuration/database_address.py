"""The address of the database: read from a URL, never pasted from a path or a password."""

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from store.configuration.names import SettingsError

_KNOWN = {"sqlite": "pysqlite", "postgresql": "psycopg"}


def file_address(file: Path) -> URL:
    """The address of a SQLite file, whatever characters its path has."""
    return URL.create("sqlite", database=str(file))


def read_address(url: str) -> URL:
    """The address that a URL says.

    Raises:
        SettingsError: it is none that Maskwatch knows, or says more than Maskwatch would heed.
    """
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise _unknown() from None
    backend, _, driver = address.drivername.partition("+")
    if backend not in _KNOWN or driver not in {"", _KNOWN[backend]}:
        raise _unknown()
    if backend == "sqlite":
        _check_file(url, address)
    return address.set(drivername="sqlite" if backend == "sqlite" else "postgresql+psycopg")


def _unknown() -> SettingsError:
    return SettingsError(
        "The setting MASKWATCH_DATABASE_URL is not a database URL that Maskwatch knows: "
        "use postgresql+psycopg://user@host/name or sqlite:///path."
    )


def _check_file(url: str, address: URL) -> None:
    if "?" in url:
        raise SettingsError(
            "The SQLite path in MASKWATCH_DATABASE_URL holds a ?, which begins options that "
            "Maskwatch does not take: write it as %3F, or set MASKWATCH_VAR_DIR instead."
        )
    if address.host or address.database in {None, "", ":memory:"}:
        raise SettingsError(
            "The SQLite URL in MASKWATCH_DATABASE_URL names no file: write sqlite:///path, with "
            "four slashes for a path from the root."
        )

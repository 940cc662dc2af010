"""The address of the database: read from a URL or put together, never pasted.

No sentence of this module holds a part of a URL: what looks like a host may be half a password.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from store.configuration.names import SettingsError

_KNOWN = {"sqlite": "pysqlite", "postgresql": "psycopg"}
_POSTGRESQL = "postgresql+psycopg"


@dataclass(frozen=True, repr=False)
class AddressParts:
    """What a PostgreSQL address consists of, as it is: nothing is in percent form.

    Attributes:
        host: a name, an address, or the folder of a socket.
    """

    host: str | None = None
    port: int | None = None
    name: str | None = None
    user: str | None = None
    password: str | None = None

    def as_dict(self) -> dict[str, str | int]:
        """The parts that are set, by their names."""
        return {part: value for part, value in vars(self).items() if value is not None}


def file_address(file: Path) -> URL:
    """The address of a SQLite file, whatever characters its path has."""
    return URL.create("sqlite", database=str(file))


def server_address(parts: AddressParts, url: str | None) -> URL:
    """The address of a PostgreSQL server; the parts say what the URL leaves open.

    Args:
        url: none if the parts say all.

    Raises:
        SettingsError: there is no host, a part is given twice, or the URL is not usable.
    """
    address = URL.create(_POSTGRESQL) if url is None else read_address(url)
    if address.drivername != _POSTGRESQL:
        raise SettingsError(
            "MASKWATCH_DATABASE_URL names a SQLite file, and a part of a server's address is set "
            "too, such as MASKWATCH_DATABASE_HOST: take one away."
        )
    if url is None and parts.host is None:
        raise SettingsError(
            "A part of the database's address is set, and its host is not: set "
            "MASKWATCH_DATABASE_HOST, or name it in MASKWATCH_DATABASE_URL."
        )
    for part in parts.as_dict():
        if _value_in(address, part):
            raise SettingsError(
                f"MASKWATCH_DATABASE_{part.upper()} is set, and MASKWATCH_DATABASE_URL says it "
                "too: take one away."
            )
    return _with_parts(address, parts)


def read_address(url: str) -> URL:
    """The address that a URL says.

    Raises:
        SettingsError: it is none that Maskwatch knows, can be read in two ways, or says more than
            Maskwatch would heed.
    """
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise (_unclear() if url.count("@") > 1 else _unknown()) from None
    backend, _, driver = address.drivername.partition("+")
    if backend not in _KNOWN or driver not in {"", _KNOWN[backend]}:
        raise _unknown()
    if backend == "sqlite":
        _check_file(url, address)
        return address.set(drivername="sqlite")
    address = address.set(drivername=_POSTGRESQL)
    _check_server(url, address)
    return address


def _unknown() -> SettingsError:
    return SettingsError(
        "The setting MASKWATCH_DATABASE_URL is not a database URL that Maskwatch knows: "
        "use postgresql+psycopg://user@host/name or sqlite:///path."
    )


def _unclear() -> SettingsError:
    return SettingsError(
        "The setting MASKWATCH_DATABASE_URL can be read in two ways: in its user and password "
        "write @ as %40, / as %2F, : as %3A, ? as %3F, # as %23 and % as %25, or set "
        "MASKWATCH_DATABASE_USER and MASKWATCH_DATABASE_PASSWORD as they are instead."
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


def _check_server(url: str, address: URL) -> None:
    # Values of options may hold one; a part of a password that was taken for one has no name that
    # libpq knows.
    in_options = url.rpartition("?")[2].count("@") if address.query else 0
    if url.count("@") - in_options > 1 or "@" in (address.database or ""):
        raise _unclear()
    if not set(address.query) <= _libpq_options(address):
        raise SettingsError(
            "The setting MASKWATCH_DATABASE_URL has an option behind its ? that libpq does not "
            "know: correct its name; a ? in a password is written as %3F."
        )


def _libpq_options(address: URL) -> set[str]:
    # The dialect imports psycopg: a process on SQLite never loads it.
    known = address.get_dialect().import_dbapi().pq.Conninfo.get_defaults()
    return {option.keyword.decode() for option in known}


def _value_in(address: URL, part: str) -> object:
    names = {"name": ("database", "dbname"), "user": ("username", "user")}
    return any(
        getattr(address, name, None) or name in address.query for name in names.get(part, (part,))
    )


def _with_parts(address: URL, parts: AddressParts) -> URL:
    folder = parts.host if parts.host and parts.host.startswith("/") else None
    if folder is not None:
        # As an option: in its own place a path could not be told from the database's name.
        address = address.update_query_dict({"host": folder})
    return address.set(
        host=None if folder else parts.host,
        port=parts.port,
        database=parts.name,
        username=parts.user,
        password=parts.password,
    )

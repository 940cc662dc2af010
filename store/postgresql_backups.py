"""Back up and restore PostgreSQL with its own programs."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL, text

from store.backup_files import BackupFailed, RestoreRefused, appearing, check_sum, free_name
from store.database import Database
from store.schema import check_known, current_revision

_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
    "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "channel_binding": "PGCHANNELBINDING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}


def back_up(url: URL, file: Path) -> None:
    """Dump the database as it is at one moment; others go on writing.

    Raises:
        BackupFailed: `pg_dump` is missing or fails, or the file cannot be written.
    """
    program = _program("pg_dump")
    with appearing(file) as partial:
        told = _run([program, "--format=custom", "--no-password", f"--file={partial}"], url)
        if told is not None:
            raise BackupFailed(f"pg_dump could not back up the database: {told}{_hint(told)}")


def restore(database: Database, url: URL, file: Path, *, force: bool) -> Path | None:
    """Put a dump in the place of the tables, in one transaction.

    Returns:
        a dump of what was replaced, beside ``file``; ``None`` if the database was empty.

    Raises:
        RestoreRefused: the dump is not whole, of an unknown version, the database is in use, or it
            has tables already and ``force`` is not set.
        BackupFailed: what is to be replaced cannot be dumped first.
        StoreUnavailable: the database cannot be reached.
    """
    program = _program("pg_restore")
    check_sum(file)
    check_known(_revision_in(program, file))
    there = current_revision(database) is not None
    if there and not force:
        raise RestoreRefused(
            "The database has tables already: --force replaces them and dumps them beside the "
            "backup first."
        )
    _refuse_if_used(database)
    database.close()  # a connection of our own would hold the restore up
    replaced = free_name(file.with_name(f"{file.name}.before-restore")) if there else None
    if replaced is not None:
        back_up(url, replaced)
    _put(program, url, file)
    return replaced


def _put(program: str, url: URL, file: Path) -> None:
    options = ["--clean", "--if-exists", "--single-transaction", "--no-password"]
    told = _run([program, *options, f"--dbname={url.database}", str(file)], url)
    if told is not None:
        raise RestoreRefused(
            f"pg_restore could not restore {file}, and the database is as it was: {told}"
        )


def _refuse_if_used(database: Database) -> None:
    with database.read() as session:
        others = session.scalar(_OTHERS)
    if others:
        raise RestoreRefused(
            f"The database is in use by {others} other connections: stop service, jobs, dashboard "
            "and whatever else reads it first."
        )


def _revision_in(program: str, file: Path) -> str | None:
    """The schema revision that a dump holds: the one line of data of its table."""
    arguments = [program, "--data-only", "--table=alembic_version", "--file=-", str(file)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise RestoreRefused(f"The backup {file} is not usable: {_last_line(done.stderr)}")
    lines = done.stdout.splitlines()
    starts = [n for n, line in enumerate(lines) if line.startswith("COPY ")]
    return lines[starts[0] + 1] if starts and lines[starts[0] + 1] != "\\." else None


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupFailed(
            f"{name} is not installed: install PostgreSQL's client programs, of the server's "
            "version or newer, and put them on the PATH."
        )
    return found


def _run(arguments: Sequence[str], url: URL) -> str | None:
    """Run a program on a database; what it says if it fails. Secrets go by the environment only."""
    done = subprocess.run(  # noqa: S603 - a list of arguments, no shell
        arguments, env=os.environ | _environment(url), capture_output=True, text=True, check=False
    )
    return None if done.returncode == 0 else _last_line(done.stderr)


def _environment(url: URL) -> dict[str, str]:
    given = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        **{name: value for name, value in url.query.items() if isinstance(value, str)},
    }
    found = {_VARIABLES[name]: str(v) for name, v in given.items() if v and name in _VARIABLES}
    return {**found, "PGDATABASE": url.database or "", "LC_ALL": "C"}


def _hint(told: str) -> str:
    if "version mismatch" not in told:
        return ""
    return " Install the client programs of the server's version and put them first on the PATH."


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line]
    return (errors or lines or ["it gave no reason"])[0]

"""Back up and restore PostgreSQL with its own programs."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL, text

from store.engine.database import Database
from store.engine.day_partitions import SCHEMA
from store.engine.poolers import Pooling, find_pooling
from store.engine.schema.objects import object_faults
from store.engine.schema.versions import current_revision, newest_revision, require_known_revision
from store.keeping.backup_files import (
    BackupFailed,
    RestoreRefused,
    check_sum,
    create_backup_file,
    free_name,
)
from store.tables.all_tables import METADATA

_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
# Options without a variable that change neither whom libpq asks nor what it tells.
_OF_NO_MATTER = {
    "fallback_application_name",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
}

_DROP = """
DO $$
DECLARE
    found text;
BEGIN
    FOR found IN
        SELECT oid::regclass::text FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
          AND relname IN ({names})
    LOOP
        EXECUTE 'DROP TABLE ' || found || ' CASCADE';
    END LOOP;
    FOR found IN
        SELECT oid::regprocedure::text FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'maskwatch\\_%'
    LOOP
        EXECUTE 'DROP FUNCTION ' || found || ' CASCADE';
    END LOOP;
END $$;
DROP SCHEMA IF EXISTS {days} CASCADE;
"""


_POOLED = (
    "A pooler that shares connections stands before the database, and PostgreSQL's programs would "
    "leave their settings there: for this command, set MASKWATCH_DATABASE_URL to the server itself."
)


@dataclass(frozen=True)
class Programs:
    """PostgreSQL's own programs that a restore needs."""

    restore: str
    psql: str


def back_up(database: Database, url: URL, file: Path) -> None:
    """Dump the database as it is at one moment; others go on writing.

    Raises:
        BackupFailed: `pg_dump` is missing or fails, the file cannot be written, or a pooler shares
            connections.
        StoreUnavailable: the database cannot be reached.
    """
    if find_pooling(database) is Pooling.TRANSACTIONS:
        raise BackupFailed(_POOLED)
    _dump(url, file)


def _dump(url: URL, file: Path) -> None:
    program = _program("pg_dump")
    with create_backup_file(file) as partial:
        error = _run([program, "--format=custom", "--no-password", f"--file={partial}"], url)
        if error is not None:
            raise BackupFailed(f"pg_dump could not back up the database: {error}{_hint(error)}")


def restore(database: Database, url: URL, file: Path, *, force: bool) -> Path | None:
    """Put a dump in the place of the tables, in one transaction.

    Returns:
        a dump of what was replaced, beside ``file``; ``None`` if the database was empty.

    Raises:
        RestoreRefused: the dump is not whole, of an unknown version, the database is in use or has
            tables already and ``force`` is not set, or a pooler shares connections.
        BackupFailed: what is to be replaced cannot be dumped first.
        StoreUnavailable: the database cannot be reached.
    """
    programs = Programs(_program("pg_restore"), _program("psql"))
    file = file.absolute()  # a relative one may look like an option
    check_sum(file)
    require_known_revision(_revision_in(programs.restore, file))
    if find_pooling(database) is Pooling.TRANSACTIONS:
        raise RestoreRefused(_POOLED)
    there = current_revision(database) is not None
    if there and not force:
        raise RestoreRefused(
            "The database has tables already: --force replaces them and dumps them beside the "
            "backup first."
        )
    _refuse_if_used(database)
    database.close()  # a connection of our own would hold the restore up
    dump = free_name(file.with_name(f"{file.name}.before-restore")) if there else None
    if dump is not None:
        _dump(url, dump)
    _put(programs, url, file)
    _check_restored(database, programs, url, file, dump)
    return dump


def _check_restored(
    database: Database, programs: Programs, url: URL, file: Path, dump: Path | None
) -> None:
    """Take a restored dump out again if it holds what Maskwatch did not make.

    A dump cannot be looked into before. One of an earlier version is looked at by the first start
    after its upgrade.
    """
    if current_revision(database) != newest_revision():
        return
    faults = object_faults(database)
    database.close()
    if not faults:
        return
    if dump is None:
        _drop(programs, url, file.parent)
    else:
        _put(programs, url, dump)
    raise RestoreRefused(
        f"The backup {file} is not restored, and the database is as it was: in it {faults[0]}"
        f"{f' and {len(faults) - 1} more objects differ' if faults[1:] else ''}. Use another."
    )


def _drop(programs: Programs, url: URL, folder: Path) -> None:
    with TemporaryDirectory(dir=folder, prefix=".restore-") as scratch:
        drop_script = Path(scratch, "drop.sql")
        drop_script.write_text(_drop_everything(), encoding="utf-8")
        error = _run_scripts(programs, url, drop_script)
    if error is not None:
        raise RestoreRefused(f"What was restored cannot be removed again: {error}")


def _put(programs: Programs, url: URL, file: Path) -> None:
    """Drop what is there and make what the dump holds, as one transaction of one script.

    `pg_restore --clean` cannot do it: it drops the constraints of partitions one by one, and
    PostgreSQL refuses.
    """
    with TemporaryDirectory(dir=file.parent, prefix=".restore-") as folder:
        drop_script, make_script = Path(folder, "drop.sql"), Path(folder, "make.sql")
        drop_script.write_text(_drop_everything(), encoding="utf-8")
        error = _run([programs.restore, f"--file={make_script}", str(file)], url)
        if error is None:
            error = _run_scripts(programs, url, drop_script, make_script)
    if error is not None:
        raise RestoreRefused(
            f"The database could not be restored from {file}, and is as it was: {error}"
        )


def _run_scripts(programs: Programs, url: URL, *scripts: Path) -> str | None:
    options = ["--no-psqlrc", "--quiet", "--single-transaction", "--no-password"]
    files = [f"--file={script}" for script in scripts]
    return _run([programs.psql, *options, "--set=ON_ERROR_STOP=1", *files], url)


def _drop_everything() -> str:
    """SQL that drops what Maskwatch has made: tables, days and functions, of any version."""
    names = ", ".join(f"'{name}'" for name in (*METADATA.tables, "alembic_version"))
    return _DROP.format(names=names, days=SCHEMA)


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
    process = subprocess.run(arguments, capture_output=True, text=True, check=False)  # noqa: S603
    if process.returncode != 0:
        raise RestoreRefused(f"The backup {file} is not usable: {_last_line(process.stderr)}")
    lines = process.stdout.splitlines()
    starts = [n for n, line in enumerate(lines) if line.startswith("COPY ")]
    return lines[starts[0] + 1] if starts and lines[starts[0] + 1] != "\\." else None


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise BackupFailed(
            f"{name} is not installed: install PostgreSQL's client programs, of the server's "
            "version or newer, and put them on the PATH."
        )
    return path


def _run(arguments: Sequence[str], url: URL) -> str | None:
    """Run a program on a database; what it says if it fails. Secrets go by the environment only."""
    process = subprocess.run(  # noqa: S603 - a list of arguments, no shell
        arguments, env=os.environ | _environment(url), capture_output=True, text=True, check=False
    )
    return None if process.returncode == 0 else _last_line(process.stderr)


def _environment(url: URL) -> dict[str, str]:
    """What the URL says, in libpq's own variables.

    Raises:
        BackupFailed: an option has no variable; to leave it out could reach another server.
    """
    dialect = url.get_dialect()()
    _, options = dialect.create_connect_args(url)
    defaults = dialect.import_dbapi().pq.Conninfo.get_defaults()
    variables = {each.keyword.decode(): each.envvar and each.envvar.decode() for each in defaults}
    unnamed = sorted(name for name in options if not variables[name] and name not in _OF_NO_MATTER)
    if unnamed:
        raise BackupFailed(
            f"PostgreSQL's programs do not take the option {unnamed[0]} of MASKWATCH_DATABASE_URL "
            "by the environment: run pg_dump or pg_restore yourself."
        )
    environment = {variables[name]: str(v) for name, v in options.items() if variables[name]}
    return {"PGDATABASE": "", **environment, "LC_ALL": "C"}


def _hint(error: str) -> str:
    if "version mismatch" not in error:
        return ""
    return " Install the client programs of the server's version and put them first on the PATH."


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line]
    return (errors or lines or ["it gave no reason"])[0]

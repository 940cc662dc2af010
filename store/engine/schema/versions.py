"""The schema's version: migrations forward and back, and the check at every start."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from math import inf
from pathlib import Path

import structlog
from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from store.engine.database import Database
from store.engine.faults import first_line, is_of_the_schema
from store.engine.schema.alembic_config import alembic_config
from store.engine.schema.place import SchemaError, check_place

__all__ = ["MigrationFailed", "SchemaError"]

_log = structlog.get_logger(__name__)
_MIGRATION_LOCK = 0x6D61736B


class MigrationFailed(SchemaError):
    """A migration met something that it does not expect; the database is as it was."""


def migrations_folder() -> Path:
    """``alembic/`` in a checkout, ``store/migrations`` in an installed package."""
    folder = Path(__file__).parents[2] / "migrations"
    return folder if folder.is_dir() else Path(__file__).parents[3] / "alembic"


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the tables to the newest revision, or up to another one.

    Raises:
        SchemaError: they are of a revision that this version does not know, or another Maskwatch's.
        MigrationFailed: a migration could not be made.
    """
    require_known_revision(current_revision(database))
    with database.write(inf) as session:
        if database.dialect == "postgresql":
            # Three processes may start on a new database at once; SQLite's turn-taking covers that.
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        check_place(session)
        with _faults_named():
            command.upgrade(alembic_config(migrations_folder(), session.connection()), revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the tables back to a revision (``base`` removes them).

    Raises:
        MigrationFailed: a migration could not be made.
    """
    with database.write(inf) as session, _faults_named():
        command.downgrade(alembic_config(migrations_folder(), session.connection()), revision)


def current_revision(database: Database) -> str | None:
    """The revision the database is at; ``None`` for a new one.

    Raises:
        SchemaError: the tables of a PostgreSQL database are not where its search_path says, or it
            cannot be told which revision they are of.
    """
    with database.read() as session:
        check_place(session)
        return _read_revision(session)


def _read_revision(session: Session) -> str | None:
    try:
        return MigrationContext.configure(session.connection()).get_current_revision()
    except (CommandError, DBAPIError) as error:
        if not is_of_the_schema(error):
            raise
        raise SchemaError(
            f"The table alembic_version does not say which revision the database is at "
            f"({first_line(error)}): restore the last backup, or give Maskwatch a database of its "
            "own if another program made that table."
        ) from error


def ensure_current(database: Database) -> None:
    """Check the schema's version; make the tables of a database that has none at all.

    Raises:
        SchemaError: the database is behind or ahead, with the command to run.
        StoreUnavailable: the database cannot be reached.
    """
    if check_revision(database) is None:
        upgrade(database)
        # A wrong folder or address looks like a first start: whoever reads the log can tell.
        place = "PostgreSQL" if database.file is None else str(database.file.absolute())
        _log.info("a database without tables was made ready", place=place)


def check_revision(database: Database) -> str | None:
    """The newest revision, if the database is at it; ``None`` if it has no tables yet.

    Raises:
        SchemaError: the database is behind or ahead, with the command to run.
        StoreUnavailable: the database cannot be reached.
    """
    head = newest_revision()
    revision = require_known_revision(current_revision(database))
    if revision not in {None, head}:
        raise SchemaError(
            f"The database is at schema revision {revision}, this Maskwatch needs {head}: "
            "back it up, then run `maskwatch db upgrade`."
        )
    return revision


def newest_revision() -> str:
    """The revision that this version of Maskwatch works with."""
    return _known_revisions(migrations_folder())[0]


def require_known_revision(revision: str | None) -> str | None:
    """The revision, if this version of Maskwatch has heard of it.

    Raises:
        SchemaError: it has not.
    """
    if revision in {None, *_known_revisions(migrations_folder())}:
        return revision
    raise SchemaError(
        f"The database is at schema revision {revision}, which this Maskwatch does not know: "
        "run the version that made it, or a newer one."
    )


@contextmanager
def _faults_named() -> Iterator[None]:
    """Say what to do about whatever a migration meets."""
    try:
        yield
    except Exception as error:
        if isinstance(error, MaskwatchError) or not is_of_the_schema(error):
            raise
        raise MigrationFailed(
            f"The tables could not be migrated ({first_line(error)}), and are as they were: look "
            "for tables that another program made or somebody changed, restore the last backup, or "
            "give Maskwatch a database of its own. `maskwatch --debug db upgrade` says where."
        ) from error


@cache
def _known_revisions(folder: Path) -> tuple[str, ...]:
    """Newest first. They are read once, for each is a module that has to be compiled and run."""
    scripts = ScriptDirectory.from_config(alembic_config(folder, None))
    return tuple(script.revision for script in scripts.walk_revisions())

"""The schema's version: migrations forward and back, and the check at every start."""

from math import inf
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from detectors.errors import MaskwatchError
from store.engine.database import Database

_MIGRATION_LOCK = 0x6D61736B


class SchemaError(MaskwatchError):
    """The database's tables are not the ones this version of Maskwatch knows."""


def migrations_folder() -> Path:
    """``alembic/`` in a checkout, ``store/migrations`` in an installed package."""
    folder = Path(__file__).parents[1] / "migrations"
    return folder if folder.is_dir() else Path(__file__).parents[2] / "alembic"


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the tables to the newest revision, or up to another one.

    Raises:
        SchemaError: they are of a revision that this version does not know.
    """
    require_known_revision(current_revision(database))
    with database.write(inf) as session:
        if database.dialect == "postgresql":
            # Three processes may start on a new database at once; SQLite's turn-taking covers that.
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        command.upgrade(_config(session.connection()), revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the tables back to a revision (``base`` removes them)."""
    with database.write(inf) as session:
        command.downgrade(_config(session.connection()), revision)


def current_revision(database: Database) -> str | None:
    """The revision the database is at; ``None`` for a new one."""
    with database.read() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def ensure_current(database: Database) -> None:
    """Check the schema's version; make the tables of a database that has none at all.

    Raises:
        SchemaError: the database is behind or ahead, with the command to run.
        StoreUnavailable: the database cannot be reached.
    """
    if check_revision(database) is None:
        upgrade(database)


def check_revision(database: Database) -> str | None:
    """The newest revision, if the database is at it; ``None`` if it has no tables yet.

    Raises:
        SchemaError: the database is behind or ahead, with the command to run.
        StoreUnavailable: the database cannot be reached.
    """
    head = _scripts().get_current_head()
    revision = require_known_revision(current_revision(database))
    if revision not in {None, head}:
        raise SchemaError(
            f"The database is at schema revision {revision}, this Maskwatch needs {head}: "
            "back it up, then run `maskwatch db upgrade`."
        )
    return revision


def require_known_revision(revision: str | None) -> str | None:
    """The revision, if this version of Maskwatch has heard of it.

    Raises:
        SchemaError: it has not.
    """
    if revision in {None, *(script.revision for script in _scripts().walk_revisions())}:
        return revision
    raise SchemaError(
        f"The database is at schema revision {revision}, which this Maskwatch does not know: "
        "run the version that made it, or a newer one."
    )


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(None))


def _config(connection: object) -> Config:
    config = Config()
    # Alembic expands what follows a %.
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config

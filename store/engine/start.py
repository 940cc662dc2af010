"""What every process does with the database before it works."""

from pathlib import Path

import structlog

from store.engine.database import Database
from store.engine.files.private_files import close_to_others
from store.engine.poolers import check_search_path
from store.engine.schema.objects import check_objects
from store.engine.schema.versions import ensure_current
from store.engine.sqlite_health import quick_look, wal_reset_warning
from store.settings import StoreSettings

_log = structlog.get_logger(__name__)


def open_database(settings: StoreSettings, statement_seconds: float | None = None) -> Database:
    """Open the database, look for damage, check the schema; make the tables of an empty one.

    Files that others may read are closed to them first, with a line in the log.

    Args:
        statement_seconds: as :meth:`Database.open` takes it.

    Raises:
        SettingsError: the URL cannot be used.
        StoreMisconfigured: the folder cannot be made, or a pooler drops a part of the URL.
        StoreDamaged: the SQLite file is damaged, with what to do.
        StoreUnavailable: the database cannot be reached.
        SchemaError: the tables are of another version, with the command to run; or somebody
            changed them, or put a trigger there.
    """
    database = Database.open(settings, statement_seconds)
    try:
        _close_files(settings.store.var_dir, database.file)
        _look(database, settings.store.start_check_seconds)
        check_search_path(database)
        ensure_current(database)
        check_objects(database)
    except BaseException:
        database.close()
        raise
    return database


def _close_files(var_dir: Path, database: Path | None) -> None:
    mending = close_to_others(var_dir, database)
    if mending.closed:
        first, count = str(mending.closed[0]), len(mending.closed)
        _log.warning("files that others could read are closed to them", files=count, first=first)
    if mending.refused:
        first, count = str(mending.refused[0]), len(mending.refused)
        _log.error("files of another user stay readable by others", files=count, first=first)


def _look(database: Database, seconds: float) -> None:
    file = database.file
    if file is None:
        return
    warning = wal_reset_warning()
    if warning is not None:
        _log.warning("SQLite", why=warning)
    if seconds > 0 and file.exists() and file.stat().st_size > 0 and not quick_look(file, seconds):
        _log.info("SQLite file looked at in part: `maskwatch db check` looks at all of it")

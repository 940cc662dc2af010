"""What every process does with the database before it works."""

import structlog

from store.engine.database import Database
from store.engine.poolers import check_search_path
from store.engine.schema import ensure_current
from store.engine.sqlite_health import quick_look, wal_reset_warning
from store.settings import StoreSettings

_log = structlog.get_logger(__name__)


def open_database(settings: StoreSettings, statement_seconds: float | None = None) -> Database:
    """Open the database, look for damage, check the schema; make the tables of an empty one.

    Args:
        statement_seconds: as :meth:`Database.open` takes it.

    Raises:
        StoreMisconfigured: the URL cannot be used, or a pooler drops a part of it.
        StoreDamaged: the SQLite file is damaged, with what to do.
        StoreUnavailable: the database cannot be reached.
        SchemaError: the tables are of another version, with the command to run.
    """
    database = Database.open(settings, statement_seconds)
    try:
        _look(database, settings.store.start_check_seconds)
        check_search_path(database)
        ensure_current(database)
    except BaseException:
        database.close()
        raise
    return database


def _look(database: Database, seconds: float) -> None:
    file = database.file
    if file is None:
        return
    warning = wal_reset_warning()
    if warning is not None:
        _log.warning("SQLite", why=warning)
    if seconds > 0 and file.exists() and file.stat().st_size > 0 and not quick_look(file, seconds):
        _log.info("SQLite file looked at in part: `maskwatch db check` looks at all of it")

"""``maskwatch db``: what its commands do on either kind of database."""

from collections.abc import Iterator
from contextlib import closing
from math import inf
from pathlib import Path

from sqlalchemy import text

from maskwatch.commands.checks import Check, State, run_check
from store.engine.database import Database
from store.engine.existing import existing_database, is_missing, sqlite_file
from store.engine.reader_locks import Reader, lock_for_reading
from store.engine.schema.objects import check_objects
from store.engine.schema.versions import check_revision, current_revision
from store.engine.schema.versions import upgrade as upgrade_schema
from store.engine.sqlite_health import full_look, wal_reset_warning
from store.keeping import postgresql_backups, sqlite_backups
from store.keeping.backup_files import back_up_files
from store.models.outlier_models import OutlierModelStore
from store.requests.picture_store import PictureStore
from store.settings import StoreSettings

_INVALID_INDEXES = text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")


def upgrade(settings: StoreSettings) -> str | None:
    """Migrate to the newest revision, and return it.

    Raises:
        MaskwatchError: the database cannot be used, or is of a later version.
    """
    with closing(Database.open(settings)) as database:
        upgrade_schema(database)
        check_objects(database)
        return current_revision(database)


def backup(settings: StoreSettings, file: Path, *, with_files: bool) -> Iterator[str]:
    """Back up while others write; sentences that say what was done.

    Raises:
        MaskwatchError: why there is no backup.
    """
    with (
        existing_database(settings, any_version=True) as database,
        lock_for_reading(database, Reader.BACKUP),
    ):
        if database.file is not None:
            sqlite_backups.back_up(database.file, file)
        else:
            postgresql_backups.back_up(database, settings.store.database_address(), file)
    yield f"Wrote {file} and its checksum: restore it with `maskwatch db restore {file}`."
    var_dir = settings.store.var_dir
    if with_files:
        files = file.with_name(f"{file.name}.files.tar")
        back_up_files(var_dir, files)
        yield f"Wrote {files}: unpack it in {var_dir} with `tar -xf`."
    else:
        yield f"Evidence, models and the spool lie in {var_dir}: --with-files copies them."


def restore(settings: StoreSettings, file: Path, *, force: bool) -> str:
    """Restore a backup; a sentence that says what was done.

    Raises:
        MaskwatchError: why it is not restored; the database is as it was.
    """
    with closing(Database.open(settings)) as database:
        if database.file is not None:
            former = sqlite_backups.restore(file, database.file, force=force)
        else:
            address = settings.store.database_address()
            former = postgresql_backups.restore(database, address, file, force=force)
        revision = current_revision(database)
    note = "" if former is None else f" What was there before is kept as {former}."
    return f"Restored {file}, at schema revision {revision}.{note}"


def check(settings: StoreSettings) -> Iterator[Check]:
    """Look at all of it, however long it takes; later checks go on after one that failed."""
    if is_missing(settings):
        file = sqlite_file(settings)
        yield Check("database", State.OK, f"There is none yet: a first start makes {file}.")
        return
    with closing(Database.open(settings)) as database:
        yield from run_check("database", lambda: _check_database(database))
        yield from run_check("schema", lambda: _check_schema(database))
        yield from run_check("evidence", lambda: _check_pictures(database, settings))
        yield from run_check("outlier models", lambda: _check_outlier_models(database, settings))
    yield from run_check("spool", lambda: _check_spool(settings))


def _check_database(database: Database) -> Iterator[Check]:
    if database.file is not None:
        full_look(database.file)
        yield Check("database", State.OK, f"{database.file}: every page and reference is sound.")
        warning = wal_reset_warning()
        if warning is not None:
            yield Check("SQLite", State.WARN, warning)
        return
    with database.read(inf) as session:
        indexes = session.scalars(_INVALID_INDEXES).all()
    if indexes:
        yield Check("database", State.FAIL, f"The index {indexes[0]} is not valid: REINDEX it.")
    else:
        yield Check("database", State.OK, "PostgreSQL answers, every index is valid.")


def _check_schema(database: Database) -> Iterator[Check]:
    revision = check_revision(database)
    check_objects(database)
    sentence = f"at revision {revision}." if revision else "empty; tables are made at a start."
    yield Check("schema", State.OK, sentence)


def _check_pictures(database: Database, settings: StoreSettings) -> Iterator[Check]:
    with database.read(inf) as session:
        files = PictureStore(settings.store.var_dir).check_all(session)
    if files.changed:
        sentence = _describe_files(files.changed, "were changed on disk or cannot be read")
        yield Check("evidence", State.FAIL, sentence)
    if files.missing:
        yield Check("evidence", State.WARN, _describe_files(files.missing, "are missing"))
    if not files.changed and not files.missing:
        yield Check("evidence", State.OK, "every file that a row names is there, as it was kept.")


def _describe_files(digests: tuple[str, ...], fault: str) -> str:
    return f"{len(digests)} files {fault}, the first is {digests[0]}: restore the var folder."


def _check_outlier_models(database: Database, settings: StoreSettings) -> Iterator[Check]:
    with database.read(inf) as session:
        store = OutlierModelStore(settings.store.var_dir)
        missing = store.list_missing(session)
    if missing:
        yield Check("outlier models", State.WARN, store.explain_absence(missing[0]))
    else:
        yield Check("outlier models", State.OK, "the promoted one is there, if any is.")


def _check_spool(settings: StoreSettings) -> Iterator[Check]:
    folder = settings.store.var_dir / "spool"
    files = [
        path for path in sorted(folder.glob("*")) if path.suffix != ".lock" and path.stat().st_size
    ]
    if not files:
        yield Check("spool", State.OK, "no record waits.")
    else:
        size = sum(path.stat().st_size for path in files)
        sentence = f"{size} bytes wait in {folder}; a running service replays them."
        yield Check("spool", State.WARN, sentence)

"""What ``maskwatch doctor`` looks at in the store: folder, disk, permissions, anchor, database."""

import stat
from collections.abc import Iterator

from maskwatch.commands.checks import Check, State, run_check
from store.audit.anchors import last_anchor
from store.engine.database import Database
from store.engine.existing import is_missing, sqlite_file
from store.engine.files.disk_room import rooms_of, write_probe
from store.engine.files.private_files import exposed_files
from store.engine.places import check_can_be_made, check_place, folder_unusable
from store.engine.poolers import Pooling, check_search_path, find_pooling
from store.engine.schema.objects import check_objects
from store.engine.schema.versions import check_revision
from store.engine.sqlite_health import wal_reset_warning
from store.settings import StoreSettings

_NO_ANCHOR = "None: nobody would miss the newest rows; set MASKWATCH_AUDIT_ANCHOR_FILE or _SYSLOG."


def examine_store(settings: StoreSettings) -> Iterator[Check]:
    """Look at the files and the database that a start needs."""
    yield from run_check("var folder", lambda: _check_var_folder(settings))
    # Before what needs its address, so that a wrong one is said here.
    yield from run_check("database", lambda: _check_database(settings))
    yield from run_check("disk", lambda: _check_disk(settings))
    yield from run_check("permissions", lambda: _check_permissions(settings))
    yield from run_check("audit anchor", lambda: _check_anchor(settings))
    yield from run_check("SQLite", lambda: _check_sqlite(settings))


def _check_var_folder(settings: StoreSettings) -> Iterator[Check]:
    folder = settings.store.var_dir
    try:
        check_can_be_made(folder / "maskwatch.db")
    except OSError as error:
        raise folder_unusable(folder, error) from None
    if not folder.exists():
        yield Check("var folder", State.OK, f"{folder} is made at the first start.")
        return
    write_probe(folder)
    is_private = not stat.S_IMODE(folder.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
    if is_private:
        yield Check("var folder", State.OK, f"{folder} can be written and is private.")
    else:
        yield Check("var folder", State.WARN, f"Others can enter {folder}: chmod 700 it.")


def _check_disk(settings: StoreSettings) -> Iterator[Check]:
    min_bytes = settings.store.min_free_disk_bytes
    for room in rooms_of(settings.store.var_dir, sqlite_file(settings)):
        left = f"{room.usable_bytes // 1_000_000} MB are left for {room.folder}"
        sentence = f"{left}{room.note}"
        if room.usable_bytes >= min_bytes:
            yield Check("disk", State.OK, f"{sentence}.")
        else:
            advice = "less than MASKWATCH_MIN_FREE_DISK_MB: free it before records are refused"
            yield Check("disk", State.WARN, f"{sentence}, {advice}.")


def _check_permissions(settings: StoreSettings) -> Iterator[Check]:
    """Whether other users may read what is recorded; the next start mends it."""
    exposed = tuple(exposed_files(settings.store.var_dir, sqlite_file(settings)))
    if exposed:
        sentence = f"Others may read {len(exposed)} files, the first is {exposed[0]}"
        advice = "chmod 600 them; a start does so for files of its user"
        yield Check("permissions", State.WARN, f"{sentence}: {advice}.")
    else:
        yield Check("permissions", State.OK, "Files of the var folder are their owner's alone.")


def _check_anchor(settings: StoreSettings) -> Iterator[Check]:
    """Whether somebody could tell that the end of the audit chain was cut off."""
    file, syslog = settings.audit.audit_anchor_file, settings.audit.audit_anchor_syslog
    if file is None:
        yield Check("audit anchor", State.OK, f"It goes to {syslog}." if syslog else _NO_ANCHOR)
        return
    last_anchor(file)  # raises if it cannot be read
    database_file = sqlite_file(settings)
    devices = {room.device for room in rooms_of(settings.store.var_dir, database_file)}
    if file.stat().st_dev in devices:
        sentence = f"{file} is on the disk of what it anchors: whoever changes one may change both."
        yield Check("audit anchor", State.WARN, sentence)
    else:
        yield Check("audit anchor", State.OK, f"{file}, on another disk than the database.")


def _check_database(settings: StoreSettings) -> Iterator[Check]:
    check_place(settings)
    if is_missing(settings):
        yield Check("database", State.OK, "SQLite; it is made at the first start.")
        return
    database = Database.open(settings)
    try:
        revision = check_revision(database)
        check_objects(database)
        condition = (
            f"at schema revision {revision}" if revision else "empty; tables are made at a start"
        )
        yield Check("database", State.OK, f"{database.dialect}, {condition}.")
        if database.file is None:
            yield from _check_pooler(database)
    finally:
        database.close()


def _check_pooler(database: Database) -> Iterator[Check]:
    check_search_path(database)
    pooling = find_pooling(database)
    hint = "; back up and restore past it" if pooling is Pooling.TRANSACTIONS else ""
    yield Check("pooler", State.OK, f"PostgreSQL is reached {pooling.value}{hint}.")


def _check_sqlite(settings: StoreSettings) -> Iterator[Check]:
    warning = wal_reset_warning()
    if warning is not None and sqlite_file(settings) is not None:
        yield Check("SQLite", State.WARN, warning)

"""A backup that is made while records are written: what it holds when it is restored."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

from sqlalchemy import func, select

from bench.store.servers import client_programs, open_place
from maskwatch.commands.checks import State
from maskwatch.commands.database import upkeep as db
from store.engine.database import Database
from store.requests.record_store import add_records
from store.requests.records import RequestRecord
from store.tables.request_tables import RequestRow, features_table

_GROUP = 64


def measure_backup(kind: str, folder: Path, records: Sequence[RequestRecord]) -> dict[str, float]:
    """1 if the restored database is sound, and holds a prefix of what was written, nothing half."""
    file = folder / "backup"
    with (
        open_place(kind, folder / kind) as place,
        closing(Database.open(place.settings)) as database,
    ):
        settings = place.settings
        _add(database, records[: len(records) // 2])
        over = Event()
        writer = Thread(target=_write, args=(database, records[len(records) // 2 :], over))
        writer.start()
        with client_programs(place):
            try:
                list(db.backup(settings, file, with_files=False))
            finally:
                over.set()
                writer.join()
            written_ids = _ids(database)
            database.close()
            db.restore(settings, file, force=True)
        restored_ids = _ids(database)
        is_sound = all(check.state is not State.FAIL for check in db.check(settings))
        is_whole = _features(database) == sum(
            record.features is not None for record in records if record.request_id in restored_ids
        )
    is_prefix = (
        restored_ids == written_ids[: len(restored_ids)] and len(restored_ids) >= len(records) // 2
    )
    return {
        f"backup_while_writing_{kind}": float(is_sound and is_whole and is_prefix),
        f"backup_records_{kind}": len(restored_ids),
        f"backup_written_{kind}": len(written_ids),
    }


def _write(database: Database, records: Sequence[RequestRecord], over: Event) -> None:
    for first in range(0, len(records), _GROUP):
        if over.is_set():
            return
        _add(database, records[first : first + _GROUP])


def _add(database: Database, records: Sequence[RequestRecord]) -> None:
    with database.write() as session:
        add_records(session, records)


def _ids(database: Database) -> list[str]:
    with database.read(seconds=60) as session:
        return list(session.scalars(select(RequestRow.request_id).order_by(RequestRow.id)))


def _features(database: Database) -> int:
    with database.read(seconds=60) as session:
        return session.scalar(select(func.count()).select_from(features_table)) or 0

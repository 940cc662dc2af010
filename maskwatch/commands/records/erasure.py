"""``maskwatch erase``: what a data-protection request asks for, from a shell on the server.

The audit line comes first: nothing goes without one. Then requests go in short transactions. Cut
off, whole requests are gone and whole ones are left; the same command goes on from there.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from detectors.errors import MaskwatchError
from store.audit.actors import command_line
from store.audit.audit_log import Action, Entry, append
from store.counts.roll_ups import forget_client
from store.engine.database import Database
from store.engine.existing import existing_database
from store.engine.reader_locks import lock_for_pruning
from store.keeping.erasure import Erasure, Subject, count, erase_name, erase_requests, find
from store.requests.picture_store import PictureStore
from store.requests.request_keys import last_key
from store.settings import StoreSettings
from store.spool.spool_files import records_wait

_BATCH = 200
# An operator waits: long enough for a scan, not for an export.
_PATIENCE_SECONDS = 60.0


class NothingToErase(MaskwatchError):
    """No record names the request or the client."""


@dataclass(frozen=True)
class Report:
    """What an erasure did, or would do.

    Attributes:
        rows: by table.
        files: pictures whose files went; those that other requests share stay.
        remaining: decisions and alerts that still hold and keep the name.
        spool_waits: whether records wait in the spool, which may bring the name back.
    """

    rows: Mapping[str, int]
    files: int = 0
    remaining: int = 0
    spool_waits: bool = False


def preview_erasure(settings: StoreSettings, subject: Subject) -> Report:
    """What would go.

    Raises:
        MaskwatchError: nothing would, or the database cannot be used.
    """
    with existing_database(settings) as database:
        rows = _count_rows(database, subject)
    return Report(rows, spool_waits=records_wait(settings.store.var_dir))


def erase_subject(settings: StoreSettings, subject: Subject, who: str, now: datetime) -> Report:
    """Delete everything that names a request or a client.

    Raises:
        NothingToErase: no record does.
        BeingRead: a scan, an export or a backup reads for too long; what was begun can be gone on
            with later.
        MaskwatchError: the database cannot be used.
    """
    store = PictureStore(settings.store.var_dir)
    rows: Counter[str] = Counter()
    files = 0
    with existing_database(settings) as database:
        counts = _count_rows(database, subject)
        # What arrives from now on is another matter, or a busy client would keep this from ending.
        with database.read() as session:
            until_key = last_key(session)
        with lock_for_pruning(database, _PATIENCE_SECONDS), database.write() as session:
            entry = Entry(command_line(who), Action.EVIDENCE_ERASED, str(subject), dict(counts))
            append(session, entry, now)
        for batch in _erase_batches(database, subject, until_key, now):
            rows.update(batch.rows)
            files += store.remove_unreferred(database, batch.digests, None).files
        remaining = _erase_name(database, subject, now)
    return Report(rows, files, remaining, records_wait(settings.store.var_dir))


def _count_rows(database: Database, subject: Subject) -> dict[str, int]:
    with database.read() as session:
        rows = count(session, subject)
    if not rows:
        raise NothingToErase(f"No record of {subject} is kept.")
    return rows


def _erase_batches(
    database: Database, subject: Subject, until_key: int, now: datetime
) -> Iterator[Erasure]:
    while True:
        with lock_for_pruning(database, _PATIENCE_SECONDS), database.write() as session:
            requests = find(session, subject, until_key, _BATCH)
            if not requests:
                return
            batch = erase_requests(session, requests, now)
        yield batch


def _erase_name(database: Database, subject: Subject, now: datetime) -> int:
    """Take the client out of what outlives its records; how many rows keep its name."""
    if subject.client is None:
        return 0
    with database.write() as session:
        forget_client(session, subject.client)
        return erase_name(session, subject.client, now)


def describe_preview(subject: Subject, report: Report) -> list[str]:
    """Lines for people, before."""
    return [f"An erasure of {subject} would delete:", *_describe_rows(report), *_warn(report)]


def describe_erasure(subject: Subject, report: Report) -> list[str]:
    """Lines for people, after."""
    files = f"  {report.files} files of pictures"
    return [f"Everything of {subject} is erased:", *_describe_rows(report), files, *_warn(report)]


def _describe_rows(report: Report) -> list[str]:
    return [f"  {number} {name}" for name, number in report.rows.items()]


def _warn(report: Report) -> Iterator[str]:
    if report.remaining:
        yield (
            f"{report.remaining} decisions or alerts still hold and keep the name: "
            "run this again when they are over."
        )
    if report.spool_waits:
        yield (
            "Records wait in the spool and may bring the name back: "
            "run this again when the service has stored them."
        )

"""Pruning of evidence: pictures that are too old, too many, or that no request refers to."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog

from jobs.context import JobContext
from jobs.keeping.prune_batches import BATCH, MAX_BATCHES, RowCounts, in_turn
from store.requests.picture_store import PictureStore, RemovedFiles, forget_evidence
from store.requests.request_keys import key_of
from store.spool.spool_files import records_wait

_log = structlog.get_logger(__name__)
# A picture is put before its record is stored. The same picture may be put for a new request just
# when the last row that refers to it goes: what was put lately is left to the next sweep.
_IN_FLIGHT = timedelta(minutes=10)
_ORPHANED = timedelta(days=1)


def prune_evidence(context: JobContext, before: datetime) -> Iterator[RowCounts]:
    """Remove pictures of requests before a time, then orphans, then the oldest above the quota.

    Raises:
        BeingRead: somebody reads.
    """
    store = PictureStore(context.settings.store.var_dir)
    for counts, _ in _forget(context, store, key_of(before)):
        yield counts
    yield from _orphans(context, store)
    yield from _over_quota(context, store)


def _forget(
    context: JobContext, store: PictureStore, before_key: int | None
) -> Iterator[tuple[RowCounts, RemovedFiles]]:
    """Forget the oldest rows batch by batch, each with the files that nobody needs any more."""
    in_flight = _ORPHANED if records_wait(context.settings.store.var_dir) else _IN_FLIGHT
    for _ in range(MAX_BATCHES):
        with in_turn(context) as session:
            digests = forget_evidence(session, before_key, BATCH)
        if not digests:
            return
        files = store.remove_unreferred(context.database, digests, context.now - in_flight)
        yield {"evidence": len(digests), "freed_bytes": files.freed_bytes}, files


def _orphans(context: JobContext, store: PictureStore) -> Iterator[RowCounts]:
    """Files that were written for a record that was never stored."""
    before = context.now - _ORPHANED
    if records_wait(context.settings.store.var_dir):
        _log.info("orphaned pictures are left, for records wait in the spool")
        return
    old = [file.digest for file in store.files() if file.used_at < before.timestamp()]
    for start in range(0, len(old), BATCH):
        with in_turn(context):
            removal = store.remove_unreferred(context.database, old[start : start + BATCH], before)
        yield {"orphans": removal.files, "freed_bytes": removal.freed_bytes}
    yield {"orphans": store.remove_parts(before)}


def _over_quota(context: JobContext, store: PictureStore) -> Iterator[RowCounts]:
    used_bytes = sum(file.size_bytes for file in store.files())
    excess = used_bytes - context.settings.pictures.evidence_quota_bytes
    if excess <= 0:
        return
    for counts, files in _forget(context, store, None):
        yield counts
        excess -= files.freed_bytes
        # Files that were put a moment ago stay: to forget more rows would make no room.
        if excess <= 0 or (files.spared_files and not files.freed_bytes):
            return

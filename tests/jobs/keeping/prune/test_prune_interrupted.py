"""Removing stops for readers, and leaves whole requests where it is cut off."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import select

from jobs.context import JobContext
from jobs.keeping import prune
from jobs.keeping import prune_pictures as prune_evidence
from jobs.keeping.prune_batches import RowCounts
from jobs.runs import record_run
from store.alerts.job_runs import SKIPPED
from store.engine.reader_locks import Reader, lock_for_reading
from store.requests.picture_store import PictureStore
from store.tables.work_tables import JobRunRow
from tests.jobs.keeping.prune.world import DAY, World


@pytest.mark.parametrize("reader", [Reader.SCAN, Reader.EXPORT])
def test_it_is_skipped_while_somebody_reads(
    context: JobContext, world: World, reader: Reader
) -> None:
    world.add(40 * DAY)
    with lock_for_reading(context.database, reader):
        outcome = record_run("prune", prune.run, context)
    assert outcome.is_skipped
    assert outcome.sentence == f"Skipped: {reader.title} is reading the records."
    assert set(world.counts().values()) == {1}
    with context.database.read() as session:
        assert session.scalars(select(JobRunRow.outcome)).all() == [SKIPPED]


def test_it_stops_between_two_batches_for_a_reader(
    context: JobContext, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.keeping.prune_pictures.BATCH", 1)
    world.add(40 * DAY, 39 * DAY)
    rounds = prune_evidence.prune_evidence

    def met_by_a_scan(met: JobContext, before: datetime) -> Iterator[RowCounts]:
        found = rounds(met, before)
        yield next(found)
        with lock_for_reading(met.database, Reader.SCAN):
            yield from found

    monkeypatch.setattr(prune, "prune_evidence", met_by_a_scan)
    outcome = prune.run(context)
    assert outcome.sentence.startswith("Removed 1 kept picture")
    assert outcome.sentence.endswith("Stopped early: a scan is reading the records.")
    assert world.counts()["evidence"] == 1


def test_cut_off_in_the_middle_whole_requests_are_left(
    context: JobContext, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.keeping.prune_pictures.BATCH", 1)
    old = world.add(40 * DAY, 39 * DAY)
    with monkeypatch.context() as broken:
        broken.setattr(PictureStore, "remove_unreferred", _power_loss)
        with pytest.raises(_PowerLoss):
            prune.run(context)
    # The row went first: its file is left, and no row is without its file.
    assert world.left() == old
    assert (world.counts()["evidence"], world.files()) == (1, 2)
    prune.run(context)
    assert (world.left(), world.files()) == ([], 0)


class _PowerLoss(Exception):
    pass


def _power_loss(*_: object) -> None:
    raise _PowerLoss

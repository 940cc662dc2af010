"""The job that removes what is too old."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from jobs.context import JobContext
from jobs.keeping import prune, prune_batches
from jobs.keeping import prune_pictures as prune_evidence
from jobs.keeping.prune_batches import RowCounts
from jobs.runs import record_run
from store.alerts.alerts import acknowledge, apply_condition
from store.alerts.job_runs import SKIPPED, finish_run, start_run
from store.counts.period_counts import ROLL_UP
from store.counts.roll_ups import make_marks
from store.engine.day_partitions import list_days, make_days
from store.engine.reader_locks import Reader, lock_for_reading
from store.keeping.retention import OF_A_REQUEST
from store.models.outlier_models import OutlierModelStore
from store.people.sign_in import issue_token
from store.requests.picture_store import PICTURE, PictureStore
from store.requests.records import PictureFile, RequestRecord, Trace
from store.requests.request_keys import key_of
from store.tables.all_tables import METADATA
from store.tables.request_tables import EvidenceRow, RequestRow, fingerprint_keys_table
from store.tables.roll_up_tables import SequenceRow
from store.tables.work_tables import AlertRow, JobRunRow, LoginTokenRow, NotificationRow
from tests.full_record import Scored, full_record
from tests.makers import make_condition

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune_batches, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(prune_batches, "_PAUSE_SECONDS", 0.0)


class World:
    """Requests with all that can belong to one, at ages of choice."""

    def __init__(self, context: JobContext) -> None:
        self.context = context
        self.store = PictureStore(context.settings.store.var_dir)
        models = OutlierModelStore(context.settings.store.var_dir)
        self.scored = Scored(context.database, models, context.now)
        self.count_until(context.now)

    def count_until(self, moment: datetime) -> None:
        """Let all records up to a time be counted in the roll-ups."""
        row = update(SequenceRow).where(SequenceRow.name == ROLL_UP)
        with self.context.database.write() as session:
            make_marks(session)
            session.execute(row.values(last=key_of(moment)))

    def add(self, *ages: timedelta, pictures: tuple[bytes, ...] | None = None) -> list[str]:
        records = [self._record(age, pictures) for age in ages]
        for record in records:
            self.scored.add(record)
        return [record.request_id for record in records]

    def put(self, data: bytes, *, unused_for: timedelta) -> PictureFile:
        file = self.store.put(PICTURE, data, "image/webp")
        then = (self.context.now - unused_for).timestamp()
        os.utime(self.path(file.sha256), (then, then))
        return file

    def path(self, digest: str) -> Path:
        return self.context.settings.store.var_dir / "evidence" / digest[:2] / digest

    def _record(self, age: timedelta, pictures: tuple[bytes, ...] | None) -> RequestRecord:
        request_id = str(uuid4())
        pictures = (request_id.encode(),) if pictures is None else pictures
        files = [self.put(data, unused_for=max(age, DAY)) for data in pictures]
        return full_record(
            request_id,
            client="ip:192.0.2.1",
            received_at=self.context.now - age,
            evidence=tuple(replace(file, kind=f"kind{n}") for n, file in enumerate(files)),
            trace=Trace(b"data", (len(request_id),), request_id),
        )

    def left(self) -> list[str]:
        with self.context.database.read() as session:
            return list(session.scalars(select(RequestRow.request_id).order_by(RequestRow.id)))

    def counts(self) -> dict[str, int]:
        with self.context.database.read() as session:
            return {
                name: session.scalar(select(func.count()).select_from(METADATA.tables[name])) or 0
                for name in (*OF_A_REQUEST, fingerprint_keys_table.name)
            }

    def files(self) -> int:
        return sum(1 for _ in self.store.files())


@pytest.fixture
def world(context: JobContext) -> World:
    return World(context)


def _with(context: JobContext, **settings: object) -> JobContext:
    return replace(context, settings=context.settings.model_copy(update=settings))


def test_everything_of_an_old_request_goes_and_nothing_younger(
    context: JobContext, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune, "BATCH", 2)
    monkeypatch.setattr("jobs.keeping.prune_pictures.BATCH", 2)
    world.add(*[(40 - n) * DAY for n in range(5)])
    young = world.add(30 * DAY - timedelta(seconds=1), DAY, timedelta(0))
    outcome = prune.run(context)
    assert world.left() == young
    assert set(world.counts().values()) == {3}
    assert world.files() == 3
    assert "5 records, 5 kept pictures" in outcome.sentence
    assert prune.run(context).sentence == "Nothing is old enough to be removed."


def test_what_is_not_counted_yet_stays(context: JobContext, world: World) -> None:
    world.add(42 * DAY)
    [newer] = world.add(40 * DAY)
    world.count_until(context.now - 41 * DAY)
    prune.run(context)
    assert world.left() == [newer]
    world.count_until(context.now)
    prune.run(context)
    assert world.left() == []


def test_days_are_dropped_whole_and_made_ahead(context: JobContext, world: World) -> None:
    if context.database.dialect != "postgresql":
        pytest.skip("SQLite has no days")
    today = context.now.date()
    with context.database.write() as session:
        make_days(session, today - 33 * DAY, 4)
    world.add(50 * DAY)  # lies with the rest
    world.add(33 * DAY, 31 * DAY)
    # Not yet a whole day too old: records go at midnight of the day that the settings reach into.
    kept = world.add(30 * DAY + timedelta(hours=11))
    outcome = prune.run(_with(context, evidence_days=40))
    assert world.left() == kept
    assert set(world.counts().values()) == {1}
    assert outcome.sentence.startswith("Removed 3 records, 3 kept pictures")
    with context.database.read() as session:
        days = list_days(session)
    assert days[0] == today - 30 * DAY
    assert days[-1] == today + 14 * DAY


def test_a_day_in_use_waits_for_the_next_round(context: JobContext, world: World) -> None:
    if context.database.dialect != "postgresql":
        pytest.skip("SQLite has no days")
    with context.database.write() as session:
        make_days(session, context.now.date() - 40 * DAY, 1)
        make_days(session, context.now.date(), 15)
    world.add(40 * DAY, pictures=())
    with context.database.read() as session:
        session.scalars(select(RequestRow.id)).all()
        with pytest.raises(prune.Postponed, match="Skipped: a long query is reading the records"):
            prune.run(context)
    assert prune.run(context).sentence == "Removed 1 record, 1 fingerprint."
    assert world.left() == []


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


def test_pictures_have_their_own_age(context: JobContext, world: World) -> None:
    world.add(8 * DAY, 6 * DAY)
    outcome = prune.run(_with(context, evidence_days=7))
    assert outcome.sentence.startswith("Removed 1 kept picture;")
    assert (world.counts()["requests"], world.counts()["evidence"], world.files()) == (2, 1, 1)


def test_a_file_that_a_younger_request_shares_stays(context: JobContext, world: World) -> None:
    world.add(40 * DAY, DAY, pictures=(b"shared", b"shared too"))
    prune.run(context)
    assert (world.counts()["evidence"], world.files()) == (2, 2)


def test_a_file_that_was_put_again_a_moment_ago_stays(context: JobContext, world: World) -> None:
    world.add(40 * DAY, pictures=(b"again",))
    world.put(b"again", unused_for=timedelta(minutes=1))
    prune.run(context)
    assert (world.counts()["evidence"], world.files()) == (0, 1)


def test_files_without_a_record_go_after_a_day(context: JobContext, world: World) -> None:
    world.add(DAY)
    old = world.put(b"old", unused_for=timedelta(hours=25))
    young = world.put(b"young", unused_for=timedelta(hours=23))
    part = world.path(old.sha256).with_name(".cut-off.part")
    part.write_bytes(b"cut")
    os.utime(part, (0, 0))
    assert prune.run(context).sentence == "Removed 2 orphaned files; 0.0 MB of files."
    assert world.files() == 2
    assert world.path(young.sha256).exists()
    assert not part.exists()


def test_orphans_stay_while_records_wait_in_the_spool(context: JobContext, world: World) -> None:
    world.put(b"old", unused_for=timedelta(hours=25))
    spool = context.settings.store.var_dir / "spool" / "requests.jsonl"
    spool.parent.mkdir()
    spool.write_text("a record\n")
    prune.run(context)
    assert world.files() == 1
    spool.write_text("")
    prune.run(context)
    assert world.files() == 0


def test_beyond_the_quota_the_oldest_pictures_go(
    context: JobContext, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.keeping.prune_pictures.BATCH", 1)
    for age in range(5, 0, -1):
        world.add(age * DAY, pictures=(bytes([age]) * 400_000,))
    prune.run(_with(context, evidence_quota_mb=1))
    assert {file.size_bytes for file in world.store.files()} == {400_000}
    assert (world.files(), world.counts()["evidence"], len(world.left())) == (2, 2, 5)
    with context.database.read() as session:
        digests = set(session.scalars(select(EvidenceRow.sha256)))
    assert digests == {file.digest for file in world.store.files()}


def test_what_grows_beside_the_records_goes_too(
    context: JobContext,
    world: World,
) -> None:
    now, year = context.now, 366 * DAY
    models = OutlierModelStore(context.settings.store.var_dir)
    with context.database.write() as session:
        for age in (timedelta(0), year):
            issue_token(session, "admin", now - age, timedelta(hours=1))
            finish_run(session, start_run(session, "scan", now - age), "succeeded", 0, "", now)
            condition = make_condition(fingerprint=f"alert {age}")
            apply_condition(session, condition, now - age)
            session.execute(
                update(AlertRow)
                .where(AlertRow.fingerprint == condition.fingerprint)
                .values(state="resolved", resolved_at=now - age)
            )
            models.add(
                session,
                archive=str(age).encode(),
                kind="k",
                rows=1,
                metrics={},
                now=now - age,
            )
    for path in (context.settings.store.var_dir / "models").rglob("*.safetensors"):
        os.utime(path, (0, 0))
    outcome = prune.run(context)
    assert outcome.sentence.startswith(
        "Removed 1 old sign-in, 1 old notification, 1 old job run, 1 old outlier model file"
    )
    with context.database.read() as session:
        for table in (LoginTokenRow, NotificationRow, JobRunRow):
            assert session.scalar(select(func.count()).select_from(table)) == 1
        assert session.scalar(select(func.count()).select_from(AlertRow)) == 2
    assert len(list((context.settings.store.var_dir / "models").rglob("*.safetensors"))) == 2


@pytest.mark.parametrize("seconds", [-3600.0, 60.0, 3600.0])
def test_nothing_is_removed_after_a_long_step_forward_before_somebody_acknowledges_it(
    context: JobContext, seconds: float
) -> None:
    stepped = make_condition(fingerprint="clock_stepped:here", rule="clock_stepped", value=seconds)
    with context.database.write() as session:
        alert = apply_condition(session, stepped, context.now)
        assert alert is not None
        number = alert.id
    if seconds == 3600.0:
        with pytest.raises(prune.Postponed, match="acknowledge"):
            prune.run(context)
        with context.database.write() as session:
            acknowledge(session, number, "ada", context.now)
    assert prune.run(context).sentence == "Nothing is old enough to be removed."

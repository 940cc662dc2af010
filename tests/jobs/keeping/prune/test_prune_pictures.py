"""Pictures have an age and a quota of their own."""

import os
from datetime import timedelta

import pytest
from sqlalchemy import select

from jobs.context import JobContext
from jobs.keeping import prune
from store.tables.request_tables import EvidenceRow
from tests.jobs.keeping.prune.world import DAY, World, with_settings


def test_pictures_have_their_own_age(context: JobContext, world: World) -> None:
    world.add(8 * DAY, 6 * DAY)
    outcome = prune.run(with_settings(context, evidence_days=7))
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
    prune.run(with_settings(context, evidence_quota_mb=1))
    assert {file.size_bytes for file in world.store.files()} == {400_000}
    assert (world.files(), world.counts()["evidence"], len(world.left())) == (2, 2, 5)
    with context.database.read() as session:
        digests = set(session.scalars(select(EvidenceRow.sha256)))
    assert digests == {file.digest for file in world.store.files()}

"""The job that removes what is too old: records and what grows beside them."""

import os
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from jobs.context import JobContext
from jobs.keeping import prune
from store.alerts.alerts import acknowledge, apply_condition
from store.alerts.job_runs import finish_run, start_run
from store.engine.day_partitions import list_days, make_days
from store.models.outlier_models import OutlierModelStore
from store.people.sign_in import issue_token
from store.tables.request_tables import RequestRow
from store.tables.work_tables import AlertRow, JobRunRow, LoginTokenRow, NotificationRow
from tests.jobs.keeping.prune.world import DAY, World, with_settings
from tests.makers import make_condition


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
    outcome = prune.run(with_settings(context, evidence_days=40))
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

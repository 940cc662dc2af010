from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs.catch_up import retrain_is_due
from jobs.context import JobContext, JobOutcome
from jobs.outliers.retrain import run as retrain
from jobs.runs import record_run, run_quietly

pytestmark = pytest.mark.usefixtures("few_trees")


def due(context: JobContext, **after: float) -> bool:
    return retrain_is_due(replace(context, now=context.now + timedelta(**after)))


def fail(_context: JobContext) -> JobOutcome:
    raise OSError("The disk is full.")


def test_the_first_training_is_due_with_enough_records(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 29)
    assert not due(context)
    traffic.clean("ip:203.0.113.2", 1)
    assert due(context)


def test_records_that_a_training_leaves_out_do_not_make_it_due(
    context: JobContext, traffic: Any
) -> None:
    traffic.flagged("ip:203.0.113.1", 30)
    traffic.refused("ip:203.0.113.2", 30)
    traffic.clean("ip:203.0.113.3", 30, minutes_ago=15 * 24 * 60)
    assert not due(context)


def test_a_missed_night_is_made_up_for(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 30)
    record_run("retrain", retrain, context)
    assert not due(context)
    # It is noon. The next run is due at two, a little later on each host, and takes a while.
    assert not due(context, hours=14)
    assert not due(context, hours=15)
    assert due(context, hours=15, minutes=16)
    # By then the records are too old to learn from.
    assert not due(context, days=15)


def test_a_night_on_which_clocks_change_is_made_up_for_once(
    context: JobContext, traffic: Any
) -> None:
    changes = {"retrain_time_zone": "Europe/Berlin", "retrain_jitter_minutes": 0}
    settings = context.settings.model_copy(update=changes)
    # The hour after two comes twice on that day.
    night = datetime(2026, 10, 25, 0, tzinfo=UTC)
    traffic = replace(traffic, now=night)
    traffic.clean("ip:203.0.113.1", 30)
    at_two = replace(context, settings=settings, now=night)
    record_run("retrain", retrain, at_two)
    assert not due(at_two, hours=1)
    assert not due(at_two, hours=25)
    assert due(at_two, hours=26)


def test_a_champion_without_its_file_is_replaced_at_once(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 30)
    record_run("retrain", retrain, context)
    assert not due(context, minutes=1)
    [archive] = (context.settings.store.var_dir / "models").rglob("*.safetensors")
    archive.rename(archive.with_suffix(".skops"))
    assert due(context, minutes=1)
    record_run("retrain", retrain, context)
    assert not due(context, minutes=1)


def test_after_a_failure_it_waits_an_hour(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 30)
    run_quietly("retrain", fail, context)
    assert not due(context, minutes=59)
    assert due(context, minutes=60)


def test_a_failure_that_a_wrong_clock_dated_far_ahead_does_not_hold_it_up(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean("ip:203.0.113.1", 30)
    run_quietly("retrain", fail, replace(context, now=context.now + timedelta(days=400)))
    assert due(context)


def accept_an_unused_key(context: JobContext) -> JobContext:
    """Nothing signs: each new model is held back."""
    settings = context.settings.model_copy(update={"outlier_model_keys": (Path("no.pub"),)})
    return replace(context, settings=settings)


def test_a_first_model_that_is_held_back_is_not_trained_again_before_the_next_night(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean("ip:203.0.113.1", 30)
    unsigned = accept_an_unused_key(context)
    assert due(unsigned)
    record_run("retrain", retrain, unsigned)
    assert not due(unsigned, minutes=1)
    assert not due(unsigned, hours=14)
    assert due(unsigned, hours=15, minutes=16)


def test_a_lost_file_whose_replacement_is_held_back_is_replaced_once_an_hour(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean("ip:203.0.113.1", 30)
    record_run("retrain", retrain, context)
    [archive] = (context.settings.store.var_dir / "models").rglob("*.safetensors")
    archive.unlink()
    traffic.later(minutes=1).clean("ip:203.0.113.2", 10)
    record_run("retrain", retrain, accept_an_unused_key(context))
    assert not due(context, minutes=59)
    assert due(context, minutes=60)

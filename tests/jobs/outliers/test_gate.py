"""The gate: no challenger is promoted that loses on a frozen set, in one night or in fourteen."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from detectors.outliers.challengers.frozen import FrozenSet, FrozenSetError
from detectors.outliers.challengers.trial import Bound
from detectors.outliers.comparison import NamedRows
from detectors.outliers.kinds import FrozenKind
from detectors.registry import FEATURE_NAMES
from jobs.alerting.alerts import run as evaluate_alerts
from jobs.context import JobContext
from jobs.outliers.retrain import run
from jobs.outliers.sampling import training_sample
from store.alerts.alerts import open_alerts
from store.audit.actors import command_line
from store.engine.database import Database
from store.models.frozen_sets import Freeze, FrozenSetStore, find_frozen_set
from store.models.outlier_models import champion, promote
from store.models.promotions import find_promotion_to_hold_against
from store.requests.records import RequestRecord
from store.requests.request_keys import key_of
from store.tables.request_tables import RequestRow
from store.tables.work_tables import OutlierModelRow
from tests.jobs.nursery import Nursery

pytestmark = pytest.mark.usefixtures("few_trees")
# So few rows and trees decide nothing by themselves: bounds that none keeps, and that all keep.
STRICT = Bound(1, false_alarms=-1, detection=1, ranking=1, movement=1)
WIDE = Bound(1, false_alarms=1, detection=1, ranking=1, movement=1)


def values_of(records: Sequence[RequestRecord]) -> NamedRows:
    vectors = [record.features for record in records if record.features is not None]
    rows = np.array([vector.values_in_order for vector in vectors], np.float64)
    return NamedRows(FEATURE_NAMES, rows)


def freeze(
    context: JobContext, kind: FrozenKind, features: NamedRows, keys: Sequence[int] = ()
) -> Path:
    """Freeze these, and return the path of the file."""
    numbers = list(keys) or [0] * len(features.rows)
    frozen = FrozenSet(kind, features, np.array(numbers, np.int64))
    store = FrozenSetStore(context.settings.store.var_dir)
    with context.database.write() as session:
        row = store.add(session, frozen, Freeze("cli:ada", "A test.", 3, context.now))
    folder = context.settings.store.var_dir / "frozen"
    return folder / row.digest[:2] / f"{row.digest}.safetensors"


def champion_id(database: Database) -> int:
    with database.read() as session:
        row = champion(session)
    assert row is not None
    return row.id


@pytest.fixture
def trained(context: JobContext, traffic: Any, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    """With a champion, a frozen clean set and a frozen attack set."""
    monkeypatch.setattr("jobs.outliers.gate.ONE_NIGHT", WIDE)
    monkeypatch.setattr("jobs.outliers.gate.FOURTEEN_NIGHTS", replace(WIDE, nights=14))
    clean = traffic.clean_of_each([f"ip:203.0.113.{client}" for client in range(6)], 10)
    run(context)
    freeze(context, FrozenKind.CLEAN, values_of(clean))
    attacks = replace(traffic, seed=900, now=context.now - timedelta(days=60))
    freeze(context, FrozenKind.ATTACK, values_of(attacks.wild("key:red-team", 20)))
    return context


def test_a_challenger_that_loses_nothing_is_promoted_with_its_figures(
    trained: JobContext, traffic: Any
) -> None:
    traffic.later(minutes=1).clean("ip:198.51.100.1", 10)
    run(trained)
    assert champion_id(trained.database) == 2
    with trained.database.read() as session:
        row = champion(session)
    assert row is not None
    assert {"frozen_detection", "frozen_false_alarms", "frozen_ranking"} <= row.metrics.keys()


def test_one_that_loses_is_held_back_and_an_alert_says_why(
    trained: JobContext, traffic: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.outliers.gate.ONE_NIGHT", STRICT)
    traffic.later(minutes=1).clean("ip:198.51.100.1", 10)
    assert "was held back. It calls" in run(trained).sentence
    assert champion_id(trained.database) == 1
    evaluate_alerts(trained)
    with trained.database.read() as session:
        [alert] = open_alerts(session, "challenger_held_back")
    assert "Outlier model 2 was not promoted; the champion stays. It calls" in alert.summary
    with trained.database.write() as session:
        promote(session, 2, command_line("ada"), trained.now, "The cameras are new.")
    evaluate_alerts(replace(trained, now=trained.now + timedelta(minutes=5)))
    with trained.database.read() as session:
        assert not open_alerts(session, "challenger_held_back")


def test_small_steps_of_fourteen_nights_are_bounded_together(
    trained: JobContext, traffic: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.outliers.gate.FOURTEEN_NIGHTS", replace(STRICT, nights=14))
    first = traffic.later(minutes=1)
    first.clean("ip:198.51.100.1", 10)
    run(trained)
    assert champion_id(trained.database) == 2
    first.later(minutes=1).clean("ip:198.51.100.2", 10)
    assert "more are allowed in 14 nights." in run(trained).sentence
    assert champion_id(trained.database) == 2


@pytest.mark.parametrize("fault", ["changed", "gone"])
def test_a_frozen_set_that_was_changed_or_is_gone_stops_the_job_with_its_name(
    trained: JobContext, traffic: Any, fault: str
) -> None:
    path = freeze(trained, FrozenKind.ATTACK, values_of(traffic.wild("key:red-team", 21)))
    if fault == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(FrozenSetError, match=r"or make the set anew with") as stopped:
        run(trained)
    assert str(path) in str(stopped.value)
    assert champion_id(trained.database) == 1


def test_nobody_learns_from_frozen_requests(context: JobContext, traffic: Any) -> None:
    records = traffic.clean("ip:203.0.113.1", 40)
    first_key = key_of(records[0].received_at)
    assert len(training_sample(context).clean.rows) == 40
    keys = training_sample(context).clean.request_pks[:5]
    assert min(keys) >= first_key
    freeze(context, FrozenKind.ATTACK, NamedRows(FEATURE_NAMES, values_of(records[:5]).rows), keys)
    with context.database.read() as session:
        row = find_frozen_set(session, FrozenKind.ATTACK)
    assert row is not None
    run(context)
    with context.database.read() as session:
        model = champion(session)
    assert model is not None
    assert model.rows == 35


def freeze_all(context: JobContext, records: Sequence[RequestRecord]) -> None:
    """Freeze these requests, as the command does, so that nobody learns from them any more."""
    ids = [record.request_id for record in records]
    with context.database.read() as session:
        keys = session.scalars(select(RequestRow.id).where(RequestRow.request_id.in_(ids))).all()
    freeze(context, FrozenKind.CLEAN, values_of(records), keys)


def test_one_that_learnt_from_few_of_the_clients_is_held_back_until_a_person_promotes_it(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean("ip:198.51.100.1", 40)
    others = [traffic.clean(f"ip:203.0.113.{client}", 10) for client in range(6)]
    run(context)
    freeze_all(context, [record for part in others for record in part])
    narrow = "It learnt from 1 client, a champion before it from 7: that is less than a third."
    assert f"was held back. {narrow}" in run(context).sentence
    assert champion_id(context.database) == 1
    with context.database.read() as session:
        row = session.get_one(OutlierModelRow, 2)
    assert (row.metrics["clients"], row.metrics["held_back_because"]) == (1, narrow)
    with context.database.write() as session:
        promote(session, 2, command_line("ada"), context.now, "The others are gone for good.")
    traffic.later(minutes=1).clean("ip:198.51.100.1", 10)
    assert "was promoted" in run(context).sentence
    assert champion_id(context.database) == 3


def test_one_that_learnt_from_a_third_of_the_clients_may_be_promoted(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean("ip:198.51.100.1", 40)
    others = [traffic.clean(f"ip:203.0.113.{client}", 10) for client in range(2)]
    run(context)
    freeze_all(context, [record for part in others for record in part])
    assert "was promoted" in run(context).sentence


def test_slow_narrowing_meets_the_champion_of_fourteen_nights_before(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean("ip:198.51.100.1", 40)
    others = [traffic.clean(f"ip:203.0.113.{client}", 10) for client in range(6)]
    run(context)
    freeze_all(context, [record for part in others[:4] for record in part])
    assert "of 3 clients was promoted" in run(context).sentence
    freeze_all(context, [record for part in others for record in part])
    assert "a champion before it from 7: that is less than a third." in run(context).sentence


def test_what_a_person_promotes_is_the_new_measure(trained: JobContext, traffic: Any) -> None:
    traffic.later(minutes=1).clean("ip:198.51.100.1", 10)
    run(trained)
    with trained.database.write() as session:
        promote(session, 1, command_line("ada"), trained.now, "Better.")
        promote(session, 2, "job:retrain", trained.now, "It agrees.")
    for days, expected in ((1, 1), (0, 2)):
        since = trained.now - timedelta(days=days)
        with trained.database.read() as session:
            measure = find_promotion_to_hold_against(session, since)
        assert measure is not None
        assert measure.model_id == expected


@pytest.mark.parametrize(
    "step",
    [
        "jobs.outliers.retrain:train",
        "store.models.outlier_models:move_mark",
        "store.models.outlier_models:add_promotion",
        "store.audit.audit_log:_head",
    ],
)
def test_a_retraining_that_is_killed_leaves_the_champion_and_no_half_model(
    trained: JobContext, traffic: Any, nursery: Nursery, step: str
) -> None:
    if trained.database.dialect != "sqlite":
        pytest.skip("The process that is killed opens the file.")
    traffic.later(minutes=1).clean("ip:198.51.100.1", 10)
    nursery.kill_at(step, "retrain_within_any_bounds", trained)
    assert champion_id(trained.database) == 1
    run(trained)
    assert champion_id(trained.database) == 2

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from detectors.outliers.base import ModelChanged
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from jobs.blocking.decide import run as decide
from jobs.context import JobContext
from jobs.outliers.gate import Predecessor
from jobs.outliers.retrain import judge, run
from jobs.outliers.sampling import Sample, TooFewRecords, train, training_sample
from jobs.outliers.scan import scan
from store.models.outlier_models import champion
from store.models.promotions import list_promotions
from store.requests.record_store import FeatureMatrix
from store.tables.model_tables import PromotionRow
from store.tables.work_tables import OutlierModelRow

FOREST = OutlierKind.ISOLATION_FOREST


def promoted(context: JobContext) -> OutlierModelRow:
    with context.database.read() as session:
        row = champion(session)
    assert row is not None
    return row


def sample_of(rows: np.ndarray) -> Sample:
    matrix = FeatureMatrix((1,) * len(rows), ("c",) * len(rows), ("a", "b"), rows, ())
    return Sample(matrix, rows[:0])


def test_too_few_records_are_told_with_their_number(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 3)
    with pytest.raises(TooFewRecords, match="at least 30 clean records, there are 3"):
        run(context)


@pytest.mark.usefixtures("few_trees")
def test_the_first_model_is_promoted_with_metrics(context: JobContext, traffic: Any) -> None:
    traffic.clean_of_each([f"ip:203.0.113.{client}" for client in range(4)], 10)
    outcome = run(context)
    assert outcome.sentence.startswith(
        "A model (excess) trained on 40 clean records of 4 clients was promoted."
    )
    assert outcome.sentence.endswith(
        "0.0244 instead of 0.01: a model of 40 rows gives no p-value below 1/41."
    )
    row = promoted(context)
    assert row.rows == 40
    assert row.metrics["clients"] == 4
    assert row.metrics["promoted_because"] == (
        "There was no model before it. It was not held against frozen sets: `maskwatch detectors "
        "freeze` makes them."
    )


@pytest.mark.usefixtures("few_trees")
def test_a_champion_whose_file_is_gone_gets_it_back_from_the_same_records(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    run(context)
    [archive] = (context.settings.store.var_dir / "models").rglob("*.safetensors")
    archive.unlink()
    assert "was promoted" in run(context).sentence
    assert archive.is_file()


@pytest.mark.usefixtures("few_trees")
def test_without_anything_new_the_champion_is_not_promoted_over_itself(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    run(context)
    first = promoted(context)
    again = run(replace(context, now=context.now + timedelta(days=1)))
    assert again.sentence == (
        "A model (excess) trained on 40 clean records of 1 client is the champion: nothing new "
        "came that teaches more."
    )
    assert promoted(context).metrics == first.metrics
    with context.database.read() as session:
        assert len(list_promotions(session, PromotionRow)) == 1


def test_a_challenger_that_agrees_is_promoted(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 60)
    run(context)
    first = promoted(context)
    traffic.later(minutes=1).clean("ip:203.0.113.2", 40)
    run(context)
    second = promoted(context)
    assert second.id != first.id
    assert second.metrics["correlation"] >= 0.5


@pytest.mark.usefixtures("few_trees")
def test_a_changed_champion_stops_the_job_with_its_name(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    run(context)
    first = promoted(context)
    [archive] = (context.settings.store.var_dir / "models").rglob("*.safetensors")
    archive.write_bytes(b"not a model")
    traffic.later(minutes=1).clean("ip:203.0.113.2", 10)
    for stopped in (run, scan):
        with pytest.raises(ModelChanged, match="was changed on disk: put it back") as refused:
            stopped(context)
        assert str(archive) in str(refused.value)
    assert promoted(context).id == first.id


@pytest.mark.usefixtures("few_trees")
def test_a_champion_without_a_file_is_replaced_and_that_is_said(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    run(context)
    [archive] = (context.settings.store.var_dir / "models").rglob("*.safetensors")
    archive.unlink()
    traffic.later(minutes=1).clean("ip:203.0.113.2", 10)
    assert "It is not compared with model 1. The file of outlier model" in run(context).sentence
    assert promoted(context).id == 2
    assert scan(context).records == 50


def test_a_challenger_that_disagrees_is_held_back() -> None:
    random = np.random.default_rng(1)
    low, high = random.exponential(2, (200, 2)), 10 - random.exponential(2, (200, 2))
    both = np.linspace([0, 0], [10, 10], 100)
    first, second = (OutlierModel.fit(FOREST, rows, ("a", "b"), 1) for rows in (low, high))
    judgement = judge(Predecessor(first), second, both, 0.01)
    assert not judgement.is_promoted
    assert judgement.correlation is not None
    assert judgement.correlation < 0
    assert "held_back_because" in judgement.metrics(sample_of(both))


@pytest.mark.usefixtures("few_trees")
def test_another_kind_is_judged_by_its_share_alone(context: JobContext, traffic: Any) -> None:
    traffic.clean_of_each([f"ip:203.0.113.{client}" for client in range(4)], 10)
    run(context)
    changed = context.settings.model_copy(update={"outlier_model": OutlierKind.NEAREST_NEIGHBOURS})
    outcome = run(replace(context, settings=changed))
    assert " The champion is of another kind: excess. " in outcome.sentence
    row = promoted(context)
    assert row.kind == "nearest_neighbours"
    assert row.metrics["correlation"] is None


def test_another_kind_that_calls_too_much_an_outlier_is_held_back() -> None:
    rows = np.random.default_rng(1).normal(size=(200, 2))
    first, second = (
        OutlierModel.fit(kind, rows, ("a", "b"), 1)
        for kind in (FOREST, OutlierKind.NEAREST_NEIGHBOURS)
    )
    judgement = judge(Predecessor(first), second, rows + 50, 0.01)
    assert not judgement.is_promoted
    assert judgement.because == "It calls 100.0 % of the clean records outliers."


@pytest.mark.usefixtures("few_trees")
def test_a_model_that_is_held_back_is_kept(
    context: JobContext, traffic: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    run(context)
    first = promoted(context)
    monkeypatch.setattr("jobs.outliers.retrain.MIN_CORRELATION", 1.1)
    traffic.later(minutes=1).clean("ip:203.0.113.2", 10)
    outcome = run(context)
    assert "held back" in outcome.sentence
    assert promoted(context).id == first.id
    with context.database.read() as session:
        assert session.query(OutlierModelRow).count() == 2


def test_one_client_contributes_only_its_share(context: JobContext, traffic: Any) -> None:
    context = replace(
        context, settings=context.settings.model_copy(update={"training_rows_per_client": 20})
    )
    traffic.clean("ip:198.51.100.9", 90)
    traffic.clean("ip:203.0.113.1", 15)
    traffic.clean("ip:203.0.113.2", 15)
    clients = training_sample(context).clean.clients
    assert clients.count("ip:198.51.100.9") == 20
    assert len(clients) == 50


@pytest.mark.usefixtures("few_trees")
def test_flagged_refused_blocked_and_outlying_records_are_left_out(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    run(context)
    traffic.flagged("ip:203.0.113.2", 5)
    traffic.refused("ip:203.0.113.3", 5)
    traffic.wild("ip:203.0.113.4", 1)
    traffic.clean("ip:198.51.100.9", 3)
    traffic.flagged("ip:198.51.100.9", 4, reason="adversarial_picture")
    scan(context)
    assert decide(context).sentence == "Blocked 1 client."
    assert set(training_sample(context).clean.clients) == {"ip:203.0.113.1"}


@pytest.mark.parametrize("kind", [FOREST, OutlierKind.NEAREST_NEIGHBOURS])
def test_the_share_of_outliers_does_not_grow_from_night_to_night(kind: OutlierKind) -> None:
    random = np.random.default_rng(5)
    population = random.standard_t(3, (3000, 4))
    names = ("a", "b", "c", "d")
    outlying = np.zeros(len(population), dtype=bool)
    shares = []
    for _ in range(4):
        clean, earlier = population[~outlying], population[outlying]
        count = len(clean)
        matrix = FeatureMatrix((0,) * count, ("c",) * count, names, clean, (None,) * count)
        model = train(Sample(matrix, earlier[: round(0.01 * len(clean))]), kind)
        fresh = random.standard_t(3, (3000, 4))
        shares.append(float((model.p_values(model.score(fresh)) <= 0.01).mean()))
        outlying = model.p_values(model.score(population)) <= 0.01
    assert max(shares) < 0.025


@pytest.mark.usefixtures("few_trees")
def test_a_champion_of_equal_rows_keeps_no_other_out() -> None:
    varied = np.random.default_rng(5).normal(size=(60, 2))
    equal = np.ones((60, 2))
    knows_nothing, knows_more = (
        OutlierModel.fit(FOREST, rows, ("a", "b"), 1) for rows in (equal, varied)
    )
    judgements = [
        judge(Predecessor(knows_nothing), knows_more, varied, 0.1),
        judge(Predecessor(knows_nothing), knows_nothing, equal, 0.1),
        judge(Predecessor(knows_more), knows_nothing, varied, 0.1),
    ]
    assert [each.is_promoted for each in judgements] == [True, True, False]
    assert judgements[2].because == "It ranks all clean records alike."
    for each in judgements:
        # PostgreSQL takes no number that JSON does not know.
        json.dumps(each.metrics(sample_of(varied)), allow_nan=False)

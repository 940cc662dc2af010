import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from detectors.outliers.base import OutlierModelError
from detectors.outliers.cutoff import outlier_cutoff
from detectors.outliers.kinds import OutlierKind
from jobs.context import JobContext
from jobs.outliers.retrain import run as retrain
from jobs.outliers.scan import NoModelYet, ScanResult, scan
from store.models.outlier_models import NewScore, NoOutlierModel, add_scores, champion
from store.tables.request_tables import RequestRow, ScoreRow

pytestmark = pytest.mark.usefixtures("few_trees")


def test_without_a_model_it_says_what_to_run(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 3)
    with pytest.raises(NoModelYet, match="run `maskwatch jobs run retrain`"):
        scan(context)


def test_scores_each_parsed_record_once(context: JobContext, traffic: Any) -> None:
    for client in range(4):
        traffic.clean(f"ip:203.0.113.{client}", 10)
    retrain(context)
    traffic.wild("ip:198.51.100.9", 3)
    traffic.refused("ip:198.51.100.9", 2)
    first = scan(context)
    assert first.records == 43
    assert first.outliers >= 3
    assert scan(context) == ScanResult(0, 0)
    traffic.clean("ip:203.0.113.1", 2)
    assert scan(context).records == 2


def test_a_new_champion_does_not_score_the_past_again(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    retrain(context)
    scan(context)
    traffic.later(minutes=1).clean("ip:203.0.113.2", 40)
    retrain(context)
    assert scan(context).records == 40


def test_outliers_keep_their_contributions(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    retrain(context)
    [wild] = traffic.wild("ip:198.51.100.9", 1)
    scan(context)
    with context.database.read() as session:
        score = session.scalars(
            select(ScoreRow)
            .join(RequestRow, RequestRow.id == ScoreRow.request_pk)
            .where(RequestRow.request_id == wild.request_id)
        ).one()
    assert score.outlier
    assert score.p_value <= outlier_cutoff(0.01, 40)
    assert len(score.contributions) == 5


@pytest.mark.parametrize("kind", list(OutlierKind))
def test_a_champion_of_any_kind_scores(
    context: JobContext, traffic: Any, kind: OutlierKind
) -> None:
    settings = context.settings.model_copy(update={"outlier_model": kind})
    traffic.clean("ip:203.0.113.1", 40)
    retrain(replace(context, settings=settings))
    traffic.wild("ip:198.51.100.9", 3)
    with context.database.read() as session:
        row = champion(session)
    assert row is not None
    assert row.kind == kind
    # The setting says what is trained, the stored kind says what is loaded.
    assert scan(context).outliers >= 3


def test_a_changed_model_file_stops_the_scan(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    retrain(context)
    [archive] = (context.settings.store.var_dir / "models").rglob("*.safetensors")
    archive.write_bytes(archive.read_bytes() + b" ")
    with pytest.raises(OutlierModelError, match="changed on disk"):
        scan(context)


def test_a_model_of_an_earlier_version_stops_the_scan_until_one_is_trained(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    retrain(context)
    [archive] = (context.settings.store.var_dir / "models").rglob("*.safetensors")
    former = archive.rename(archive.with_suffix(".skops"))
    with pytest.raises(NoOutlierModel, match=re.escape(f"{former} was written by an earlier")):
        scan(context)
    retrain(context)
    assert scan(context).records == 40


def test_a_second_score_of_the_same_model_is_ignored(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    retrain(context)
    with context.database.write() as session:
        model = champion(session)
        assert model is not None
        pk = session.scalars(select(RequestRow.id)).first()
        assert pk is not None
        for p_value in (0.5, 0.1):
            add_scores(session, model.id, [NewScore(pk, 0.4, p_value, False, {})], context.now)
        kept = session.execute(select(func.count(), func.max(ScoreRow.p_value))).one()
    assert tuple(kept) == (1, 0.5)

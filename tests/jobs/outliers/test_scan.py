import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from detectors.outliers.base import OutlierModelError
from detectors.outliers.cutoff import outlier_cutoff
from detectors.outliers.kinds import OutlierKind
from jobs.context import JobContext
from jobs.outliers.judging import NoModelYet
from jobs.outliers.retrain import run as retrain
from jobs.outliers.scan import ScanResult, preview, scan
from store.models.outlier_models import NoOutlierModel, champion
from store.models.scans import ScanTaken, extend_scan, start_scan
from store.models.scores import add_scores
from store.requests.record_store import add_record
from store.tables.request_tables import RequestRow, ScoreRow
from tests.jobs.nursery import Nursery
from tests.makers import make_new_scores

pytestmark = pytest.mark.usefixtures("few_trees")


def test_without_a_model_it_says_what_to_run(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 3)
    with pytest.raises(NoModelYet, match="run `maskwatch jobs run retrain`"):
        scan(context)


def test_scores_each_parsed_record_once(context: JobContext, traffic: Any) -> None:
    traffic.clean_of_each([f"ip:203.0.113.{client}" for client in range(4)], 10)
    retrain(context)
    traffic.wild("ip:198.51.100.9", 3)
    traffic.refused("ip:198.51.100.9", 2)
    first = scan(context)
    assert first.records == 43
    assert first.outliers >= 3
    assert scan(context) == ScanResult()
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
    assert 1 <= len(score.contributions) <= 5


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
            add_scores(session, model.id, None, make_new_scores([pk], p_value), context.now)
        kept = session.execute(select(func.count(), func.max(ScoreRow.p_value))).one()
    assert tuple(kept) == (1, 0.5)


def outliers_of(context: JobContext) -> dict[int, tuple[float | None, int]]:
    """Q-value and number of contributions of each outlier, by key."""
    with context.database.read() as session:
        rows = session.scalars(select(ScoreRow).where(ScoreRow.outlier))
        return {row.request_pk: (row.q_value, len(row.contributions)) for row in rows}


def scored(context: JobContext) -> list[int]:
    with context.database.read() as session:
        return sorted(session.scalars(select(ScoreRow.request_pk)))


def test_too_few_vetted_requests_are_said_with_the_number_that_is_needed(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    retrain(context)
    traffic.wild("ip:198.51.100.9", 2)
    result = scan(context)
    assert result.sentence == (
        f"Scored 42 records, found {result.outliers} outliers. "
        "A false-discovery rate of 10 % takes 419 vetted "
        "requests, the model has 40: what is more unusual than all of them counts as an outlier, "
        "and the rate is not promised."
    )


def test_with_enough_vetted_requests_the_rate_is_promised(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean_of_each([f"ip:203.0.113.{client}" for client in range(15)], 70)
    settings = context.settings.model_copy(update={"training_rows_per_client": 70})
    retrain(replace(context, settings=settings))
    wild = traffic.wild("ip:198.51.100.9", 30)
    result = scan(context)
    assert result.is_promised
    assert result.sentence == (
        f"Scored 1080 records, found {result.outliers} outliers at a false-discovery rate of 10 %, "
        "compared with 1050 vetted requests."
    )
    kept = outliers_of(context)
    assert len(wild) <= len(kept) == result.outliers <= 2 * len(wild)
    assert all(q is not None and q <= 0.1 and 1 <= count <= 5 for q, count in kept.values())


def test_a_scan_of_few_is_judged_together_with_those_before(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    retrain(context)
    scan(context)
    traffic.clean("ip:203.0.113.1", 1)
    result = scan(context)
    assert (result.records, result.judged) == (1, 41)


def test_scores_that_do_not_say_what_they_were_compared_with_count_as_well(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    retrain(context)
    scan(context)
    with context.database.write() as session:
        session.execute(update(ScoreRow).values(calibration_rows=None))
    traffic.clean("ip:203.0.113.1", 1)
    assert preview(context).judged == 41
    assert scan(context).judged == 41


def test_a_dry_run_says_the_same_and_writes_nothing(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    retrain(context)
    traffic.wild("ip:198.51.100.9", 3)
    foreseen = preview(context)
    assert scored(context) == []
    assert scan(context) == foreseen


def test_a_time_leaves_older_records_for_the_next_scan(context: JobContext, traffic: Any) -> None:
    old = traffic.clean("ip:203.0.113.1", 40, minutes_ago=300)
    retrain(context)
    traffic.clean("ip:203.0.113.2", 4, minutes_ago=5)
    since = context.now - timedelta(minutes=10)
    assert scan(context, since).records == 4
    assert scan(context, since).records == 0
    assert scan(context).records == len(old)
    traffic.clean("ip:203.0.113.2", 1, minutes_ago=1)
    assert scan(context).records == 1
    assert len(scored(context)) == 45


def test_what_a_scan_since_a_time_has_scored_counts_for_the_next_ones(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean("ip:203.0.113.1", 40, minutes_ago=300)
    retrain(context)
    since = context.now - timedelta(minutes=10)
    traffic.clean("ip:203.0.113.2", 4, minutes_ago=5)
    assert scan(context, since).judged == 4
    traffic.clean("ip:203.0.113.2", 1, minutes_ago=1)
    foreseen = preview(context, since)
    result = scan(context, since)
    assert (result.records, result.judged) == (1, 5)
    assert result == foreseen
    assert scan(context).judged == 45


def test_two_scans_at_a_time_score_and_select_once(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    retrain(context)
    traffic.clean("ip:203.0.113.1", 2)
    with context.database.write() as session:
        mine = start_scan(session, 0, leaves_gap=False, now=context.now)
    assert scan(context).records == 42
    with pytest.raises(ScanTaken, match="at the same time"), context.database.write() as session:
        extend_scan(session, mine, 1, make_new_scores([1]), context.now)
    assert len(scored(context)) == 42


@pytest.mark.parametrize(("step", "calls"), [("close_scan", 1), ("extend_scan", 3)])
def test_a_scan_that_is_killed_leaves_nothing_half_written_and_is_gone_on_with(
    context: JobContext, traffic: Any, nursery: Nursery, step: str, calls: int
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    retrain(context)
    wild = traffic.wild("ip:198.51.100.9", 3)
    expected = preview(context)
    nursery.kill_at(f"jobs.outliers.scan:{step}", "scan_in_pieces", context, calls=calls)
    assert len(scored(context)) == (43 if step == "close_scan" else 20)
    assert outliers_of(context) == {}
    assert preview(context) == expected
    assert scan(context) == expected
    assert len(scored(context)) == 43
    assert len(outliers_of(context)) == expected.outliers >= len(wild)
    assert scan(context) == ScanResult()


@pytest.mark.parametrize("records", [0, 1])
def test_a_day_without_traffic_and_one_record_are_scanned(
    context: JobContext, traffic: Any, records: int
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    retrain(context)
    scan(context)
    traffic.wild("ip:198.51.100.9", records)
    assert scan(context).outliers == records
    empty = "Scored 0 records, found 0 outliers."
    assert scan(context).sentence == empty


def test_records_that_are_all_equal_are_no_outliers(context: JobContext, traffic: Any) -> None:
    same = replace(traffic.clean("ip:203.0.113.1", 1)[0])
    with context.database.write() as session:
        for _ in range(40):
            add_record(session, replace(same, request_id=str(uuid4())))
    retrain(context)
    result = scan(context)
    assert (result.records, result.outliers) == (41, 0)

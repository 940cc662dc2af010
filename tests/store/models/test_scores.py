"""Scores of requests as a scan adds them, on both databases."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.engine.database import Database
from store.models.outlier_models import OutlierModelStore
from store.models.scores import add_scores
from store.settings import StoreSettings
from store.tables.request_tables import ScoreRow
from tests.makers import make_new_scores


def add_model(database: Database, settings: StoreSettings, archive: bytes, now: datetime) -> int:
    models = OutlierModelStore(settings.store.var_dir)
    with database.write() as session:
        return models.add(session, archive=archive, kind="k", rows=40, metrics={}, now=now).id


def read_scores(session: Session, model_id: int) -> list[ScoreRow]:
    mine = select(ScoreRow).where(ScoreRow.model_id == model_id).order_by(ScoreRow.request_pk)
    return list(session.scalars(mine))


def test_scores_are_kept_as_they_are_given_however_many_they_are(
    database: Database, model_id: int, now: datetime
) -> None:
    scores = make_new_scores(range(1, 502))
    with database.write() as session:
        add_scores(session, model_id, 7, scores, now)
    with database.read() as session:
        rows = read_scores(session, model_id)
        kept = [
            (row.request_pk, row.score, row.p_value, row.calibrated_on, row.calibration_rows)
            for row in rows
        ]
    assert kept == scores.list_rows()
    shared = {(row.scan_id, row.scored_at, row.outlier, row.q_value) for row in rows}
    assert shared == {(7, now, False, None)}
    assert all(row.contributions == {} for row in rows)


def test_no_scores_are_no_work(database: Database, model_id: int, now: datetime) -> None:
    with database.write() as session:
        add_scores(session, model_id, None, make_new_scores([]), now)
        assert read_scores(session, model_id) == []


def test_a_request_keeps_the_first_score_of_each_model(
    database: Database, store_settings: StoreSettings, model_id: int, now: datetime
) -> None:
    other = add_model(database, store_settings, b"another", now)
    later = now + timedelta(hours=1)
    with database.write() as session:
        add_scores(session, model_id, 1, make_new_scores([4, 5], 0.25), now)
        add_scores(session, model_id, 2, make_new_scores([5, 6], 0.75), later)
        add_scores(session, other, 2, make_new_scores([5], 0.75), later)
    with database.read() as session:
        first = [(row.request_pk, row.p_value) for row in read_scores(session, model_id)]
        second = [(row.request_pk, row.p_value) for row in read_scores(session, other)]
    assert first == [(4, 0.25), (5, 0.25), (6, 0.75)]
    assert second == [(5, 0.75)]

"""The order that labels taught, of outliers and of families; what is said where it is not used."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select

from detectors.ranking.inputs import INPUT_NAMES
from detectors.ranking.reranker import Reranker
from detectors.ranking.trial import HeldOut
from store.audit.actors import analyst, job
from store.engine.database import Database
from store.families.feedback import Feedback
from store.models.outlier_models import HELD_BACK
from store.models.rerankers import RerankerStore, promote_reranker, roll_back_reranker
from store.pages.ranking_views import (
    NOT_JUDGED,
    Ranking,
    list_outliers,
    list_ranked_families,
    read_ranking,
)
from store.settings import StoreSettings
from store.tables.family_tables import FamilyMemberRow, FamilyRow
from store.tables.request_tables import RequestRow
from tests.labelled_traffic import Labelled

TRIAL = HeldOut(0.9, 0.6, 0.1, 0.5)


@pytest.fixture
def labelled(database: Database, store_settings: StoreSettings, now: datetime) -> Labelled:
    return Labelled(database, store_settings.store.var_dir, now)


@pytest.fixture
def store(store_settings: StoreSettings) -> RerankerStore:
    return RerankerStore(store_settings.store.var_dir)


def _put_in_force(
    labelled: Labelled, store: RerankerStore, *, metrics: dict[str, object] | None = None
) -> str:
    """A re-ranker that looks at the evidence of the looks alone; its digest."""
    weights = np.where(np.array(INPUT_NAMES) == "tampering", 1.0, 0.0)
    reranker = Reranker(labelled.basis, np.zeros(len(weights)), np.ones(len(weights)), weights)
    with labelled.database.write() as session:
        row = store.add(
            session,
            reranker,
            labels=50,
            metrics={**TRIAL.metrics(), **(metrics or {})},
            now=labelled.now,
        )
        if metrics is None:
            promote_reranker(session, row, job("train_reranker"), labelled.now, "It is better.")
        return row.digest


def _read(database: Database, store: RerankerStore) -> Ranking:
    with database.read() as session:
        return read_ranking(session, store)


def _ids(labelled: Labelled, store: RerankerStore) -> list[str]:
    """Request ids in their order, in pages of four."""
    ranking = _read(labelled.database, store)
    ids: list[str] = []
    before = None
    with labelled.database.read() as session:
        while page := list_outliers(session, ranking, labelled.now, 4, before):
            ids += [each.request.request_id for each in page]
            before = page[-1].id
    return ids


def test_without_labels_outliers_are_in_the_order_of_their_p_values(
    labelled: Labelled, store: RerankerStore
) -> None:
    ids = {*labelled.outliers(5, attacks=True), *labelled.outliers(5, attacks=False)}
    ranking = _read(labelled.database, store)
    with labelled.database.read() as session:
        rows = list_outliers(session, ranking, labelled.now, 50)
    p_values = [each.request.p_value or 1.0 for each in rows]
    assert p_values == sorted(p_values)
    assert {each.request.request_id for each in rows} == ids == set(_ids(labelled, store))
    assert {each.rank for each in rows} == {""}
    assert ranking.order == "By p-value"
    assert ranking.labels is not None
    assert ranking.labels.sentence.startswith("0 of 50 labels")


def test_the_next_page_does_not_begin_again_when_newer_outliers_drove_the_last_one_out(
    labelled: Labelled, store: RerankerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.pages.ranking_views.MAX_OUTLIERS", 6)
    labelled.outliers(6, attacks=False)
    ranking = _read(labelled.database, store)
    with labelled.database.read() as session:
        last = list_outliers(session, ranking, labelled.now, 3)[-1]
    labelled.outliers(6, attacks=False)
    with labelled.database.read() as session:
        rows = list_outliers(session, ranking, labelled.now, 6, last.id)
        whole = list_outliers(session, ranking, labelled.now, 6)
    assert last.id not in {each.id for each in rows + whole}
    assert rows == tuple(
        each for each in whole if (each.request.p_value or 1) >= (last.request.p_value or 1)
    )


def test_in_the_learnt_order_attacks_stand_first_and_nothing_is_left_out(
    labelled: Labelled, store: RerankerStore
) -> None:
    others, attacks = labelled.outliers(6, attacks=False), labelled.outliers(6, attacks=True)
    labelled.label(attacks[:1], Feedback.CONFIRMED)
    _put_in_force(labelled, store)
    ids = _ids(labelled, store)
    assert set(ids[:6]) == set(attacks)
    assert set(ids[6:]) == set(others)
    ranking = _read(labelled.database, store)
    with labelled.database.read() as session:
        rows = list_outliers(session, ranking, labelled.now, 50)
    assert rows[0].rank == "For an attack: evidence of the looks."
    assert rows[-1].rank == "Against: little evidence of the looks."
    assert [each.feedback for each in rows].count("confirmed") == 1
    assert (ranking.order, ranking.held_out) == ("Learnt from labels (r1)", TRIAL)


def test_what_a_model_of_other_features_scored_stands_first_and_is_not_judged(
    database: Database, store_settings: StoreSettings, store: RerankerStore, now: datetime
) -> None:
    earlier = Labelled(database, store_settings.store.var_dir, now, basis="earlier")
    unjudged = earlier.outliers(2, attacks=False)
    labelled = Labelled(database, store_settings.store.var_dir, now, seed=500)
    labelled.outliers(3, attacks=True)
    _put_in_force(labelled, store)
    assert set(_ids(labelled, store)[:2]) == set(unjudged)
    ranking = _read(database, store)
    with database.read() as session:
        rows = list_outliers(session, ranking, now, 50)
    assert [each.is_judged for each in rows] == [False, False, True, True, True]
    assert rows[0].rank == NOT_JUDGED


def test_under_an_outlier_model_of_other_features_it_orders_nothing_and_that_is_said(
    labelled: Labelled, store: RerankerStore
) -> None:
    labelled.outliers(2, attacks=True)
    _put_in_force(labelled, store)
    Labelled(labelled.database, labelled.var_dir, labelled.now, basis="another")
    ranking = _read(labelled.database, store)
    assert (ranking.reranker, ranking.order) == (None, "By p-value")
    assert ranking.note.startswith("r1 is not used: it learnt from the scores of an outlier model")
    assert len(_ids(labelled, store)) == 2


def test_a_file_that_was_changed_orders_nothing_and_that_is_said(
    labelled: Labelled, store: RerankerStore
) -> None:
    labelled.outliers(2, attacks=True)
    path = store.path_of(_put_in_force(labelled, store))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    ranking = _read(labelled.database, store)
    assert ranking.reranker is None
    assert f"r1 is not used. The file {path} of re-ranker r1 was changed on disk" in ranking.note
    path.unlink()
    assert "is gone: put it back" in _read(labelled.database, store).note
    assert len(_ids(labelled, store)) == 2


def test_with_enough_labels_it_is_said_when_an_order_is_learnt(
    labelled: Labelled, store: RerankerStore
) -> None:
    labelled.teach(25, 24)
    assert _read(labelled.database, store).note == ""
    labelled.teach(0, 1)
    assert "is learnt from them after the next retraining" in _read(labelled.database, store).note


def test_whoever_took_the_order_out_of_force_is_named(
    labelled: Labelled, store: RerankerStore, now: datetime
) -> None:
    _put_in_force(labelled, store)
    with labelled.database.write() as session:
        roll_back_reranker(session, analyst("ada"), now, "It sinks what matters.")
    assert _read(labelled.database, store).note == (
        "analyst:ada took the last one out of force at 2026-03-02 12:00 UTC: It sinks what matters."
    )


def test_why_the_last_one_was_held_back_is_said(labelled: Labelled, store: RerankerStore) -> None:
    _put_in_force(labelled, store, metrics={HELD_BACK: "That is not enough."})
    assert _read(labelled.database, store).note == "r1 was held back. That is not enough."


def _make_family(labelled: Labelled, ids: list[str], *, days_ago: int = 0) -> int:
    at = labelled.now - timedelta(days=days_ago)
    row = FamilyRow(
        formed_at=at,
        first_at=at,
        last_at=at,
        requests=len(ids),
        clients=1,
        kinds={"outlier": len(ids)},
        shared=[],
    )
    with labelled.database.write() as session:
        session.add(row)
        session.flush()
        keys = session.scalars(select(RequestRow.id).where(RequestRow.request_id.in_(ids))).all()
        for key in keys:
            session.add(FamilyMemberRow(request_pk=key, family_id=row.id, looked_at=at))
        return row.id


def _families(labelled: Labelled, store: RerankerStore, most: int = 2) -> list[int]:
    """Numbers in their order, page by page."""
    ranking = _read(labelled.database, store)
    numbers: list[int] = []
    before = None
    with labelled.database.read() as session:
        while page := list_ranked_families(session, ranking, labelled.now, most, before):
            numbers += [each.id for each in page]
            before = page[-1].id
    return numbers


def test_families_stand_by_their_requests_that_are_most_like_attacks(
    labelled: Labelled, store: RerankerStore
) -> None:
    """Ordinary requests beside an attack do not lower its family; unjudged ones stand first."""
    honest = _make_family(labelled, labelled.outliers(5, attacks=False))
    padded = labelled.outliers(8, attacks=False) + labelled.outliers(5, attacks=True)
    attacking = _make_family(labelled, padded, days_ago=2)
    unjudged = _make_family(labelled, [], days_ago=3)
    assert _families(labelled, store) == [honest, attacking, unjudged]
    _put_in_force(labelled, store)
    assert _families(labelled, store) == [unjudged, attacking, honest]


def test_older_families_follow_by_time(
    labelled: Labelled, store: RerankerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.pages.ranking_views.MAX_FAMILIES", 2)
    oldest = _make_family(labelled, labelled.outliers(2, attacks=True), days_ago=9)
    attacking = _make_family(labelled, labelled.outliers(2, attacks=True), days_ago=3)
    older = _make_family(labelled, labelled.outliers(2, attacks=True), days_ago=5)
    honest = _make_family(labelled, labelled.outliers(2, attacks=False))
    _put_in_force(labelled, store)
    expected = [attacking, honest, older, oldest]
    assert [_families(labelled, store, most) for most in (1, 3, 9)] == [expected] * 3

"""Reads what a re-ranker knows of requests: what was recorded before anybody judged them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from detectors.outliers.basis import BASIS
from detectors.outliers.preparation import Vector
from detectors.ranking.inputs import Recorded, measure_inputs
from store.families.read_members import read_kinds
from store.models.promotions import find_present
from store.tables.model_tables import PromotionRow
from store.tables.request_tables import ScoreRow, features_table
from store.tables.work_tables import OutlierModelRow

_CHUNK = 1000


def find_basis(session: Session) -> str | None:
    """The basis of the champion; ``None`` without one, or if an earlier version trained it."""
    present = find_present(session, PromotionRow)
    if present is None:
        return None
    return _bases(session, {present.model_id}).get(present.model_id)


def read_inputs(session: Session, keys: Sequence[int], basis: str) -> dict[int, Vector]:
    """The inputs of each request that a model of a basis scored, by key; newest score first."""
    chunks = (keys[first : first + _CHUNK] for first in range(0, len(keys), _CHUNK))
    return {key: row for chunk in chunks for key, row in _read_chunk(session, chunk, basis)}


def _read_chunk(session: Session, keys: Sequence[int], basis: str) -> Iterator[tuple[int, Vector]]:
    scores = _read_scores(session, keys, basis)
    features, kinds = _read_features(session, keys), read_kinds(session, keys)
    for key, score in scores.items():
        tampering, probing = features.get(key, (None, None))
        recorded = Recorded(
            score.p_value, score.contributions, tampering, probing, kinds.get(key, ())
        )
        yield key, measure_inputs(recorded)


def _read_scores(session: Session, keys: Sequence[int], basis: str) -> dict[int, Row[Any]]:
    """The last score of each request that a model of this basis gave."""
    columns = (
        *(ScoreRow.request_pk, ScoreRow.model_id, ScoreRow.p_value),
        ScoreRow.contributions,
    )
    rows = session.execute(
        select(*columns).where(ScoreRow.request_pk.in_(keys)).order_by(ScoreRow.id)
    ).all()
    bases = _bases(session, {row.model_id for row in rows})
    return {row.request_pk: row for row in rows if bases.get(row.model_id) == basis}


def _bases(session: Session, models: set[int]) -> Mapping[int, str]:
    rows = session.execute(
        select(OutlierModelRow.id, OutlierModelRow.metrics).where(OutlierModelRow.id.in_(models))
    )
    return {row.id: str(row.metrics[BASIS]) for row in rows if BASIS in row.metrics}


def _read_features(
    session: Session, keys: Sequence[int]
) -> dict[int, tuple[float | None, float | None]]:
    of = features_table.c
    columns = select(of.request_pk, of.tamper_score, of.probing_score)
    rows = session.execute(columns.where(of.request_pk.in_(keys)))
    return {key: (tampering, probing) for key, tampering, probing in rows}

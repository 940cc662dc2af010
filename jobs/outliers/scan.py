"""Scan: the champion scores every parsed record once and flags the outliers."""

from collections.abc import Iterator
from dataclasses import dataclass

from detectors.outliers.cutoff import outlier_cutoff
from detectors.outliers.model import OutlierModel
from jobs.context import JobContext, JobOutcome, Skipped
from store.engine.reader_locks import Reader, lock_for_reading
from store.models.outlier_models import NewScore, OutlierModelStore, add_scores, champion
from store.phrases import phrase_count
from store.requests.record_store import FeatureMatrix, unscored_features
from store.tables.work_tables import OutlierModelRow

_BATCH = 1000


class NoModelYet(Skipped):
    """Nothing was trained and promoted yet."""


@dataclass(frozen=True)
class ScanResult:
    """How many records were scored and how many of them are outliers."""

    records: int
    outliers: int


def run(context: JobContext) -> JobOutcome:
    """The job ``scan``.

    Raises:
        NoModelYet: no outlier model is promoted.
    """
    with lock_for_reading(context.database, Reader.SCAN):
        result = scan(context)
    records, outliers = (
        phrase_count(result.records, "record"),
        phrase_count(result.outliers, "outlier"),
    )
    return JobOutcome(f"Scored {records}, found {outliers}.", result.records)


def scan(context: JobContext) -> ScanResult:
    """Score everything that is not scored yet, batch by batch.

    Raises:
        NoModelYet: no outlier model is promoted.
        NoOutlierModel: the champion's file is gone.
        OutlierModelError: the champion's file was changed.
    """
    row, model = _load_champion(context)
    cutoff = outlier_cutoff(context.settings.outliers.outlier_p_value, row.rows)
    records = outliers = 0
    for batch in _batches(context, model.names):
        scores = score_batch(model, batch, cutoff)
        with context.database.write() as session:
            add_scores(session, row.id, scores, context.now)
        records += len(scores)
        outliers += sum(score.outlier for score in scores)
    return ScanResult(records, outliers)


def score_batch(model: OutlierModel, batch: FeatureMatrix, cutoff: float) -> list[NewScore]:
    """One score per row; contributions are kept for outliers only."""
    scores = model.score(batch.rows)
    p_values = model.p_values(scores)
    return [
        NewScore(
            request_pk=request_pk,
            score=float(score),
            p_value=float(p_value),
            outlier=bool(p_value <= cutoff),
            contributions=model.contributions(row) if p_value <= cutoff else {},
        )
        for request_pk, row, score, p_value in zip(
            batch.request_pks, batch.rows, scores, p_values, strict=True
        )
    ]


def _load_champion(context: JobContext) -> tuple[OutlierModelRow, OutlierModel]:
    with context.database.read() as session:
        row = champion(session)
    if row is None:
        raise NoModelYet(
            "No outlier model is promoted yet: run `maskwatch jobs run retrain` once there are "
            "clean records."
        )
    archive = OutlierModelStore(context.settings.store.var_dir).read(row.digest)
    return row, OutlierModel.loads(archive, row.digest)


def _batches(context: JobContext, names: tuple[str, ...]) -> Iterator[FeatureMatrix]:
    while True:
        with context.database.read() as session:
            batch = unscored_features(session, names, _BATCH)
        if not batch.request_pks:
            return
        yield batch

"""Retrain: a challenger learns from clean records and is promoted only if it stays close.

Left out of the training are flagged, refused and blocked traffic and earlier outliers; one client
contributes only so many rows. The earlier outliers of clients that were never blocked still count
in the calibration: without them each night's model would take the rarest records of the last one
for gone, and the share of outliers would grow from night to night.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from detectors.outliers.base import ModelChanged, OutlierModelError
from detectors.outliers.cutoff import describe_cutoff, outlier_cutoff
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import MIN_ROWS, OutlierModel
from detectors.outliers.preparation import Matrix, Vector
from detectors.registry import FITTED_NAMES
from jobs.context import JobContext, JobOutcome, Skipped
from jobs.outliers.watch_drift import NEWEST
from store.audit.actors import job
from store.baselines.drifts import list_pushed
from store.engine.reader_locks import Reader, lock_for_reading
from store.models.outlier_models import NoOutlierModel, OutlierModelStore, champion, promote
from store.models.stored_models import read_model
from store.phrases import phrase_count
from store.requests.record_store import FeatureMatrix, clean_features

_SEED = 20_260_101
# Below this rank correlation the two models disagree about what is normal.
MIN_CORRELATION = 0.5
# A challenger that calls more of its own clean rows outliers than this many times the expected
# share was trained on something else than what passes now.
MAX_OUTLIER_FACTOR = 3.0


class TooFewRecords(Skipped):
    """There are not enough clean records to learn from."""


@dataclass(frozen=True)
class Sample:
    """What a model learns from.

    Attributes:
        clean: the training rows.
        earlier_outliers: rows that only count in the calibration.
        outlier_sources: what each of these was measured on.
    """

    clean: FeatureMatrix
    earlier_outliers: Matrix
    outlier_sources: tuple[str | None, ...] = ()


@dataclass(frozen=True, eq=False)
class Predecessor:
    """What a challenger is held against.

    Attributes:
        model: the champion; ``None`` if there is none to compare with.
        absence: why there is none, one sentence or two.
    """

    model: OutlierModel | None
    absence: str


@dataclass(frozen=True)
class Judgement:
    """Whether a challenger is promoted, why, and the numbers behind it."""

    is_promoted: bool
    because: str
    correlation: float | None
    outlier_share: float

    def metrics(self, clients: int) -> dict[str, object]:
        """What is stored beside the model."""
        return {
            "clients": clients,
            "correlation": self.correlation,
            "outlier_share": self.outlier_share,
            "promoted_because" if self.is_promoted else "held_back_because": self.because,
        }


def run(context: JobContext) -> JobOutcome:
    """The job ``retrain``.

    Raises:
        TooFewRecords: fewer than 30 clean records.
        ModelChanged: the champion's file was changed.
    """
    before = _load_champion(context)
    with lock_for_reading(context.database, Reader.TRAINING):
        sample = training_sample(context)
    challenger = train(sample, context.settings.training.outlier_model)
    p_value = context.settings.outliers.outlier_p_value
    judgement = judge(before, challenger, sample.clean.rows, p_value)
    judgement = hold_back_if_pushed(judgement, _list_pushed(context))
    clients = len(set(sample.clean.clients))
    _keep(context, challenger, len(sample.clean.rows), judgement, judgement.metrics(clients))
    verb = "promoted" if judgement.is_promoted else "held back"
    records = phrase_count(len(sample.clean.rows), "clean record")
    return JobOutcome(
        f"A model ({challenger.kind}) trained on {records} of {phrase_count(clients, 'client')} "
        f"was {verb}. "
        f"{judgement.because} Outliers have p-values of at most "
        f"{describe_cutoff(p_value, len(sample.clean.rows))}.",
        len(sample.clean.rows),
    )


def training_sample(context: JobContext) -> Sample:
    """Read the rows to learn from.

    Raises:
        TooFewRecords: fewer than 30 clean records.
    """
    settings = context.settings
    since = context.now - timedelta(days=settings.training.training_days)
    limits = (settings.training.training_rows_per_client, settings.training.training_rows)
    with context.database.read() as session:
        clean = clean_features(session, FITTED_NAMES, since, *limits)
        outliers = clean_features(session, FITTED_NAMES, since, *limits, outliers=True)
    if len(clean.rows) < MIN_ROWS:
        raise TooFewRecords(
            f"An outlier model needs at least {MIN_ROWS} clean records, "
            f"there are {len(clean.rows)}: let the service take more pictures first."
        )
    # No more of them than chance alone makes, or whoever sends enough would set the limit.
    count = round(settings.outliers.outlier_p_value * len(clean.rows))
    return Sample(clean, outliers.rows[:count], outliers.sources[:count])


def train(sample: Sample, kind: OutlierKind) -> OutlierModel:
    """Fit a challenger on the clean rows; earlier outliers join its calibration scores."""
    clean = sample.clean
    model = OutlierModel.fit(kind, clean.rows, FITTED_NAMES, _SEED, clean.sources)
    return model.extend_calibration(sample.earlier_outliers, sample.outlier_sources)


def judge(
    before: Predecessor, challenger: OutlierModel, clean: Matrix, p_value: float
) -> Judgement:
    """Compare a challenger with the champion on the same clean rows."""
    scores = challenger.score(clean)
    cutoff = outlier_cutoff(p_value, len(clean))
    share = round(float((challenger.p_values(scores) <= cutoff).mean()), 6)
    champion_model = before.model
    if champion_model is None:
        return Judgement(True, before.absence, None, share)
    if champion_model.names != challenger.names:
        return Judgement(True, "The champion knows other features.", None, share)
    correlation = None
    because = f"The champion is of another kind: {champion_model.kind}."
    # Two kinds may well rank normal rows in two ways, and then no change of kind could ever pass.
    if champion_model.kind == challenger.kind:
        correlation = _rank_correlation(champion_model.score(clean), scores)
        because = f"Its ranking correlates {correlation:.2f} with the champion's."
        if not correlation >= MIN_CORRELATION:
            because = f"{because[:-1]}, at least {MIN_CORRELATION:.2f} is asked for."
            return Judgement(False, because, correlation, share)
    if share > MAX_OUTLIER_FACTOR * cutoff:
        because = f"It calls {100 * share:.1f} % of the clean records outliers."
        return Judgement(False, because, correlation, share)
    return Judgement(True, because, correlation, share)


def hold_back_if_pushed(judgement: Judgement, pushed: Sequence[str]) -> Judgement:
    """Never learn from traffic that a few senders move; what they move is in the sample."""
    if not (pushed and judgement.is_promoted):
        return judgement
    sources = ", ".join(source[:12] for source in pushed)
    return replace(
        judgement,
        is_promoted=False,
        because=f"A few senders move the traffic of {sources}: see the alert `traffic_pushed`.",
    )


def _list_pushed(context: JobContext) -> tuple[str, ...]:
    with context.database.read() as session:
        return list_pushed(session, context.now - NEWEST)


def _rank_correlation(first: Vector, second: Vector) -> float:
    # A training is rare, and takes scikit-learn, which loads this as well.
    from scipy.stats import spearmanr  # noqa: PLC0415

    return round(float(spearmanr(first, second).statistic), 4)


def _load_champion(context: JobContext) -> Predecessor:
    """What a challenger is held against.

    Raises:
        ModelChanged: the champion's file was changed; who did that may have changed what it learns.
    """
    with context.database.read() as session:
        row = champion(session)
    if row is None:
        return Predecessor(None, "There was no model before it.")
    try:
        model = read_model(OutlierModelStore(context.settings.store.var_dir), row)
    except ModelChanged:
        raise
    except (NoOutlierModel, OutlierModelError) as error:
        return Predecessor(None, f"It replaces model {row.id}. {error}")
    return Predecessor(model, "")


def _keep(
    context: JobContext,
    model: OutlierModel,
    rows: int,
    judgement: Judgement,
    metrics: Mapping[str, object],
) -> None:
    archive = model.dumps()
    store = OutlierModelStore(context.settings.store.var_dir)
    with context.database.write() as session:
        row = store.add(
            session, archive=archive, kind=model.kind, rows=rows, metrics=metrics, now=context.now
        )
        if judgement.is_promoted:
            promote(session, row.id, job("retrain"), context.now, judgement.because)

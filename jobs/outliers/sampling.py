"""The sample that a challenger learns from, and the training itself.

Left out are flagged, refused and blocked traffic, earlier outliers, what lies in a frozen set, and
groups of requests that look normal by nothing but themselves; one client and one network contribute
only so many rows. The earlier outliers of clients that were never blocked still count in the
calibration: without them each night's model would take the rarest records of the last one for gone,
and the share of outliers would grow from night to night.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from detectors.outliers.challengers.trimming import choose_rows
from detectors.outliers.cutoff import outlier_cutoff
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import MIN_ROWS, OutlierModel
from detectors.outliers.preparation import Matrix
from detectors.registry import FITTED_NAMES
from jobs.context import JobContext, Skipped
from store.decisions.clients.client_decisions import read_blocked_senders
from store.requests.record_store import FeatureMatrix, clean_features
from store.requests.row_bounds import LeftOut

_SEED = 20_260_101


class TooFewRecords(Skipped):
    """There are not enough clean records to learn from."""


@dataclass(frozen=True)
class Sample:
    """What a model learns from.

    Attributes:
        clean: the training rows.
        earlier_outliers: rows that only count in the calibration.
        outlier_sources: what each of these was measured on.
        trimmed: rows that were left out since only their own kind made them look normal.
    """

    clean: FeatureMatrix
    earlier_outliers: Matrix
    outlier_sources: tuple[str | None, ...] = ()
    trimmed: int = 0

    @property
    def clients(self) -> int:
        """How many clients the training rows are of."""
        return len(set(self.clean.clients))


def training_sample(context: JobContext, frozen_keys: Collection[int] = ()) -> Sample:
    """Read the rows to learn from.

    Args:
        frozen_keys: keys of requests in a frozen set.

    Raises:
        TooFewRecords: fewer than 30 clean records.
    """
    settings = context.settings
    since = context.now - timedelta(days=settings.training.training_days)
    bounds = settings.training.bounds()
    with context.database.read() as session:
        left_out = LeftOut(frozen_keys, read_blocked_senders(session))
        clean = clean_features(session, FITTED_NAMES, since, bounds, left_out=left_out)
        outliers = clean_features(
            session, FITTED_NAMES, since, bounds, left_out=left_out, outliers=True
        )
    if len(clean.rows) < MIN_ROWS:
        raise TooFewRecords(
            f"An outlier model needs at least {MIN_ROWS} clean records, "
            f"there are {len(clean.rows)}: let the service take more pictures first."
        )
    return make_sample(clean, outliers, settings.outliers.outlier_p_value)


def make_sample(clean: FeatureMatrix, outliers: FeatureMatrix, p_value: float) -> Sample:
    """Trim the clean rows, and add as many earlier outliers as chance makes."""
    kept = clean.choose(choose_rows(clean.rows, _SEED))
    # No more of them than chance alone makes, or whoever sends enough would set the limit. None
    # where a model is too small for the p-value: its cutoff is then the smallest its rows give.
    is_large_enough = outlier_cutoff(p_value, len(kept.rows)) == p_value
    count = round(p_value * len(kept.rows)) if is_large_enough else 0
    trimmed = len(clean.rows) - len(kept.rows)
    return Sample(kept, outliers.rows[:count], outliers.sources[:count], trimmed)


def train(sample: Sample, kind: OutlierKind) -> OutlierModel:
    """Fit a challenger on the clean rows; earlier outliers join its calibration scores."""
    clean = sample.clean
    model = OutlierModel.fit(kind, clean.rows, clean.names, _SEED, clean.sources)
    return model.extend_calibration(sample.earlier_outliers, sample.outlier_sources)

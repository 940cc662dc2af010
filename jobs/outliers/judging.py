"""The promoted model as the scan uses it: it judges batches of requests and selects outliers."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from detectors.outliers.cutoff import outlier_cutoff
from detectors.outliers.false_discoveries import Selection, select_outliers
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Vector
from detectors.outliers.weights import weigh_requests
from jobs.context import JobContext, Skipped
from jobs.outliers.models import open_models
from store.models.outlier_models import champion
from store.models.scans import Scores
from store.models.scores import NewScores
from store.models.stored_models import read_model
from store.requests.unscored import UnscoredRequests
from store.tables.work_tables import OutlierModelRow


class NoModelYet(Skipped):
    """Nothing was trained and promoted yet."""


@dataclass(frozen=True, eq=False)
class JudgedBatch:
    """A batch with its scores.

    Attributes:
        values: the scores themselves, ``(n,)``.
        of_source: whether each was compared with requests of its source alone, ``(n,)``.
    """

    scores: Scores
    values: Vector
    of_source: npt.NDArray[np.bool_]

    @property
    def new_scores(self) -> NewScores:
        """What is stored of it."""
        by_key = self.scores
        return NewScores(
            by_key.keys, self.values, by_key.p_values, self.of_source, by_key.calibration_rows
        )


@dataclass(frozen=True, eq=False)
class Champion:
    """The promoted model with its row, and what selects its outliers."""

    row: OutlierModelRow
    model: OutlierModel
    rate: float
    max_p_value: float

    def select(self, scores: Scores, earlier: Scores) -> Selection:
        """The outliers among the scores of a scan, judged together with earlier ones."""
        n, judged = len(scores.keys), Scores.join([scores, earlier])
        lowest = 1 / (judged.calibration_rows + 1)
        # Those of before were judged by their own scan; here they only count.
        lowest[n:] = 0.0
        whole = select_outliers(
            judged.p_values,
            lowest,
            self.rate,
            self.max_p_value,
            len(self.model.calibration),
            weigh_requests(judged.clients),
        )
        return replace(whole, q_values=whole.q_values[:n], outliers=whole.outliers[:n])


def load_champion(context: JobContext) -> Champion:
    """The promoted model.

    Raises:
        NoModelYet: no outlier model is promoted.
        NoOutlierModel: its file is gone.
        ModelChanged: its file was changed.
        OutlierModelError: its file is of another version.
    """
    with context.database.read() as session:
        row = champion(session)
    if row is None:
        raise NoModelYet(
            "No outlier model is promoted yet: run `maskwatch jobs run retrain` once there are "
            "clean records."
        )
    return load_judge(context, row)


def load_judge(context: JobContext, row: OutlierModelRow) -> Champion:
    """Any model, as if it were promoted.

    Raises:
        NoOutlierModel: its file is gone.
        ModelChanged: its file was changed.
        OutlierModelError: its file is of another version.
    """
    model = read_model(open_models(context), row)
    settings = context.settings.outliers
    max_p_value = outlier_cutoff(settings.outlier_p_value, row.rows)
    return Champion(row, model, settings.false_discovery_rate, max_p_value)


def judge_batch(model: OutlierModel, batch: UnscoredRequests) -> JudgedBatch:
    """What a model makes of a batch."""
    values = model.score(batch.rows)
    judged = model.calibrate(values, batch.sources)
    keys = np.array(batch.keys, np.int64)
    scores = Scores(keys, judged.p_values, judged.rows, batch.clients)
    return JudgedBatch(scores, values, judged.of_source)

"""The promoted model as the scan uses it: it judges batches of requests and selects outliers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import repeat

import numpy as np
import numpy.typing as npt

from detectors.outliers.cutoff import outlier_cutoff
from detectors.outliers.false_discoveries import Selection, select_outliers
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Vector
from detectors.outliers.units import form_units
from jobs.context import JobContext, Skipped
from jobs.outliers.models import open_models
from store.models.outlier_models import NewScore, champion
from store.models.scans import Scores
from store.models.stored_models import read_model
from store.requests.unscored import UnscoredRequests
from store.tables.work_tables import OutlierModelRow


class NoModelYet(Skipped):
    """Nothing was trained and promoted yet."""


@dataclass(frozen=True, eq=False)
class JudgedBatch:
    """A batch with its scores, and contributions by the number of the row."""

    scores: Scores
    values: Vector
    of_source: npt.NDArray[np.bool_]
    contributions: Mapping[int, Mapping[str, float]]

    def new_scores(self, scan_id: int | None) -> list[NewScore]:
        """What is stored of it."""
        explained = [self.contributions.get(number, {}) for number in range(len(self.values))]
        compared = ["source" if of_source else "all" for of_source in self.of_source.tolist()]
        columns = (
            *(self.scores.keys.tolist(), self.values.tolist(), self.scores.p_values.tolist()),
            *(repeat(False), explained, repeat(None), repeat(scan_id), compared),
            self.scores.calibration_rows.tolist(),
        )
        # Some go on without end.
        return list(map(NewScore._make, zip(*columns, strict=False)))


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
            form_units(judged.clients),
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


def judge_batch(model: OutlierModel, batch: UnscoredRequests, max_p_value: float) -> JudgedBatch:
    """What a model makes of a batch; only what may become an outlier is explained."""
    values = model.score(batch.rows)
    judged = model.calibrate(values, batch.sources)
    near = np.flatnonzero(judged.p_values <= max_p_value)
    contributions = dict(zip(near.tolist(), model.explain(batch.rows[near]), strict=True))
    keys = np.array(batch.keys, np.int64)
    scores = Scores(keys, judged.p_values, judged.rows, batch.clients)
    return JudgedBatch(scores, values, judged.of_source, contributions)

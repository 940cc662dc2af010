"""Scan: the champion scores every parsed record once, and the outliers are selected.

Scores come in chunks, the outliers of all of them at the end: at a stated false-discovery rate,
which is one of the scan as a whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from detectors.outliers.cutoff import outlier_cutoff
from detectors.outliers.false_discoveries import Selection, rows_needed, select_outliers
from detectors.outliers.model import OutlierModel
from jobs.context import JobContext, JobOutcome, Skipped
from store.engine.reader_locks import Reader, lock_for_reading
from store.models.outlier_models import NewScore, OutlierModelStore, champion
from store.models.scans import (
    Scan,
    Scores,
    close_scan,
    earlier_p_values,
    extend_scan,
    last_scored_key,
    open_scan,
    scan_scores,
    start_scan,
)
from store.phrases import phrase_count, phrase_share
from store.requests.request_keys import key_of
from store.requests.unscored import UnscoredRequests, unscored_requests
from store.tables.work_tables import OutlierModelRow

_CHUNK = 10_000
# A scan of few records is judged together with those scored before: a rate among ten says little.
_MIN_JUDGED = 1_000


class NoModelYet(Skipped):
    """Nothing was trained and promoted yet."""


@dataclass(frozen=True)
class ScanResult:
    """What a scan did.

    Attributes:
        judged: records among which the outliers were selected: those of the scan and, if these are
            few, the latest before them.
        rate: the false-discovery rate.
        calibration_rows: vetted requests that the model compares with.
        is_promised: whether these are enough for the rate.
    """

    records: int = 0
    outliers: int = 0
    judged: int = 0
    rate: float = 0.0
    calibration_rows: int = 0
    is_promised: bool = True

    @property
    def sentence(self) -> str:
        """What it did, for people."""
        records = phrase_count(self.records, "record")
        text = f"Scored {records}, found {phrase_count(self.outliers, 'outlier')}"
        if not self.records:
            return f"{text}."
        rate = f"a false-discovery rate of {phrase_share(self.rate)}"
        rows = phrase_count(self.calibration_rows, "vetted request")
        if self.is_promised:
            return f"{text} at {rate}, compared with {rows}."
        needed = rows_needed(self.judged, self.rate)
        return (
            f"{text}. {rate[0].upper()}{rate[1:]} takes {needed:,} vetted requests, the model has "
            f"{self.calibration_rows:,}: what is more unusual than all of them counts as an "
            "outlier, and the rate is not promised."
        )


@dataclass(frozen=True, eq=False)
class _Champion:
    """The promoted model with its row, and what selects its outliers."""

    row: OutlierModelRow
    model: OutlierModel
    rate: float
    max_p_value: float

    def select(self, scores: Scores, earlier: np.ndarray) -> Selection:
        """The outliers among the scores of a scan, judged together with earlier p-values."""
        n = len(scores.p_values)
        whole = select_outliers(
            np.concatenate([scores.p_values, earlier]),
            np.concatenate([1 / (scores.calibration_rows + 1), np.zeros(len(earlier))]),
            self.rate,
            self.max_p_value,
            len(self.model.calibration),
        )
        return Selection(whole.q_values[:n], whole.outliers[:n], whole.is_promised)

    def describe(self, selection: Selection, judged: int) -> ScanResult:
        """What a scan with this selection did."""
        return ScanResult(
            records=len(selection.outliers),
            outliers=int(selection.outliers.sum()),
            judged=judged,
            rate=self.rate,
            calibration_rows=len(self.model.calibration),
            is_promised=selection.is_promised,
        )


def run(context: JobContext) -> JobOutcome:
    """The job ``scan``.

    Raises:
        NoModelYet: no outlier model is promoted.
    """
    return run_since(context, None)


def run_since(context: JobContext, since: datetime | None) -> JobOutcome:
    """The same for records that arrived since a time; older ones stay for a later scan.

    Raises:
        NoModelYet: no outlier model is promoted.
    """
    result = scan(context, since)
    return JobOutcome(result.sentence, result.records)


def scan(context: JobContext, since: datetime | None = None) -> ScanResult:
    """Score everything that is not scored yet, chunk by chunk, and select the outliers.

    What a scan that was cut off has scored is selected among together with the rest.

    Raises:
        NoModelYet: no outlier model is promoted.
        NoOutlierModel: the champion's file is gone.
        OutlierModelError: the champion's file was changed.
        ScanTaken: another scan runs at the same time.
    """
    with lock_for_reading(context.database, Reader.SCAN):
        by = _load_champion(context)
        with context.database.read() as session:
            progress, after_key = open_scan(session), last_scored_key(session)
        progress = _score_all(context, by, progress, _start(after_key, progress, since))
        return ScanResult() if progress is None else _select(context, by, progress)


def preview(context: JobContext, since: datetime | None = None) -> ScanResult:
    """What the next scan would do; nothing is written.

    Raises:
        NoModelYet: no outlier model is promoted.
        NoOutlierModel: the champion's file is gone.
        OutlierModelError: the champion's file was changed.
    """
    with lock_for_reading(context.database, Reader.SCAN):
        by = _load_champion(context)
        with context.database.read() as session:
            progress, after_key = open_scan(session), last_scored_key(session)
            progress = progress or Scan(0, after_key, after_key, 0)
            begun = scan_scores(session, progress)
            earlier = earlier_p_values(session, progress, _MIN_JUDGED)
        parts = [begun]
        for batch in _batches(context, by.model.names, _start(after_key, progress, since)):
            judged = by.model.calibrate(by.model.score(batch.rows), batch.sources)
            parts.append(Scores(np.array(batch.keys), judged.p_values, judged.rows))
    scores = _join(parts)
    earlier = earlier[: max(0, _MIN_JUDGED - len(scores.keys))]
    return by.describe(by.select(scores, earlier), len(scores.keys) + len(earlier))


def score_batch(
    model: OutlierModel, batch: UnscoredRequests, max_p_value: float, scan_id: int | None = None
) -> list[NewScore]:
    """One score per row, none an outlier yet; contributions where it may become one."""
    scores = model.score(batch.rows)
    judged = model.calibrate(scores, batch.sources)
    contributions = {
        number: model.contributions(batch.rows[number])
        for number in np.flatnonzero(judged.p_values <= max_p_value).tolist()
    }
    columns = (batch.keys, scores, judged.p_values, judged.rows, judged.of_source)
    return [
        NewScore(
            *(key, score, p_value, False, contributions.get(number, {}), None, scan_id),
            *("source" if of_source else "all", rows),
        )
        for number, (key, score, p_value, rows, of_source) in enumerate(
            zip(*(np.asarray(column).tolist() for column in columns), strict=True)
        )
    ]


def _load_champion(context: JobContext) -> _Champion:
    with context.database.read() as session:
        row = champion(session)
    if row is None:
        raise NoModelYet(
            "No outlier model is promoted yet: run `maskwatch jobs run retrain` once there are "
            "clean records."
        )
    archive = OutlierModelStore(context.settings.store.var_dir).read(row.digest)
    model, settings = OutlierModel.loads(archive, row.digest), context.settings.outliers
    max_p_value = outlier_cutoff(settings.outlier_p_value, row.rows)
    return _Champion(row, model, settings.false_discovery_rate, max_p_value)


def _start(after_key: int, progress: Scan | None, since: datetime | None) -> int:
    """The key beyond which records are scored."""
    if progress is not None:
        # What was begun is finished as a whole.
        return progress.through_key
    return after_key if since is None else max(after_key, key_of(since) - 1)


def _score_all(
    context: JobContext, by: _Champion, progress: Scan | None, after_key: int
) -> Scan | None:
    """Score what lies beyond a key; the scan that did, or ``None`` if there was nothing."""
    for batch in _batches(context, by.model.names, after_key):
        if progress is None:
            progress = _begin(context, after_key)
        scores = score_batch(by.model, batch, by.max_p_value, progress.id)
        with context.database.write() as session:
            progress = extend_scan(session, progress, by.row.id, scores, context.now)
    return progress


def _begin(context: JobContext, after_key: int) -> Scan:
    with context.database.write() as session:
        leaves_gap = after_key > last_scored_key(session)
        return start_scan(session, after_key, leaves_gap=leaves_gap, now=context.now)


def _select(context: JobContext, by: _Champion, progress: Scan) -> ScanResult:
    """Select the outliers of a scan whose records are all scored."""
    with context.database.read() as session:
        scores = scan_scores(session, progress)
        earlier = earlier_p_values(session, progress, max(0, _MIN_JUDGED - len(scores.keys)))
    selection = by.select(scores, earlier)
    result = by.describe(selection, len(scores.keys) + len(earlier))
    with context.database.write() as session:
        close_scan(
            session, progress, scores, selection, by.rate, result.calibration_rows, context.now
        )
    return result


def _batches(
    context: JobContext, names: tuple[str, ...], after_key: int
) -> Iterator[UnscoredRequests]:
    while True:
        with context.database.read() as session:
            batch = unscored_requests(session, names, after_key, _CHUNK)
        if not batch.keys:
            return
        yield batch
        after_key = batch.keys[-1]


def _join(parts: list[Scores]) -> Scores:
    return Scores(
        np.concatenate([part.keys for part in parts]),
        np.concatenate([part.p_values for part in parts]),
        np.concatenate([part.calibration_rows for part in parts]),
    )

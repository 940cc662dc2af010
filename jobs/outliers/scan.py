"""Scan: the champion scores every parsed record once, and the outliers are selected.

Scores come in chunks, the outliers of all of them at the end: at a stated false-discovery rate,
which is one of the scan as a whole. Only what is selected is explained: that takes as long as two
dozen scores.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from detectors.outliers.false_discoveries import Selection, rows_needed
from jobs.context import JobContext, JobOutcome
from jobs.engines.base import Engine
from jobs.engines.local import LOCAL
from jobs.outliers.judging import Champion, load_champion
from jobs.outliers.judging_work import Judging
from store.engine.reader_locks import Reader, lock_for_reading
from store.models.scans import (
    Scan,
    Scores,
    close_scan,
    earlier_scores,
    extend_scan,
    last_scored_key,
    open_scan,
    scan_scores,
    start_scan,
)
from store.phrases import phrase_count, phrase_share
from store.requests.record_store import features_by_key
from store.requests.request_keys import key_of
from store.requests.unscored import UnscoredRequests, unscored_requests

_CHUNK, _EXPLAINED = 10_000, 500
# A scan of few records is judged together with those scored before: a rate among ten says little.
MIN_JUDGED = 1_000


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


def run(context: JobContext) -> JobOutcome:
    """The job ``scan``.

    Raises:
        NoModelYet: no outlier model is promoted.
    """
    return run_since(context, None)


def run_since(context: JobContext, since: datetime | None, engine: Engine = LOCAL) -> JobOutcome:
    """The same for records that arrived since a time; older ones stay for a later scan.

    Raises:
        NoModelYet: no outlier model is promoted.
        EngineFailed: see :func:`scan`.
    """
    result = scan(context, since, engine)
    return JobOutcome(result.sentence, result.records)


def scan(context: JobContext, since: datetime | None = None, engine: Engine = LOCAL) -> ScanResult:
    """Score everything that is not scored yet, chunk by chunk, and select the outliers.

    What a scan that was cut off has scored is selected among together with the rest.

    Args:
        engine: judges the chunks; whichever it is, the scores are the same.

    Raises:
        NoModelYet: no outlier model is promoted.
        NoOutlierModel: the champion's file is gone.
        OutlierModelError: the champion's file was changed.
        ScanTaken: another scan runs at the same time.
        EngineFailed: the engine ended before; the next scan goes on where it ended.
    """
    with lock_for_reading(context.database, Reader.SCAN):
        by = load_champion(context)
        with context.database.read() as session:
            progress, after_key = open_scan(session), last_scored_key(session)
            begun = [] if progress is None else [scan_scores(session, progress)]
        start = _start(after_key, progress, since)
        progress, parts = _score_all(context, by, progress, start, engine)
        return ScanResult() if progress is None else _select(context, by, progress, begun + parts)


def preview(
    context: JobContext, since: datetime | None = None, engine: Engine = LOCAL
) -> ScanResult:
    """What the next scan would do; nothing is written.

    Raises:
        NoModelYet: no outlier model is promoted.
        NoOutlierModel: the champion's file is gone.
        OutlierModelError: the champion's file was changed.
    """
    with lock_for_reading(context.database, Reader.SCAN):
        by = load_champion(context)
        with context.database.read() as session:
            progress, after_key = open_scan(session), last_scored_key(session)
            start = _start(after_key, progress, since)
            progress = progress or Scan(0, start, start, 0)
            begun = scan_scores(session, progress)
            earlier = earlier_scores(session, progress, MIN_JUDGED)
        parts = [begun]
        batches = _batches(context, by.model.names, start)
        parts += [batch.scores for batch in engine.run(Judging(by), batches)]
    scores = Scores.join(parts)
    earlier = earlier.take(max(0, MIN_JUDGED - len(scores.keys)))
    return _describe(by, by.select(scores, earlier), len(scores.keys) + len(earlier.keys))


def _start(after_key: int, progress: Scan | None, since: datetime | None) -> int:
    """The key beyond which records are scored."""
    if progress is not None:
        # What was begun is finished as a whole.
        return progress.through_key
    return after_key if since is None else max(after_key, key_of(since) - 1)


def _score_all(
    context: JobContext, by: Champion, progress: Scan | None, after_key: int, engine: Engine
) -> tuple[Scan | None, list[Scores]]:
    """Score what lies beyond a key; the scan that did, if there was anything, and the scores."""
    parts: list[Scores] = []
    for batch in engine.run(Judging(by), _batches(context, by.model.names, after_key)):
        if progress is None:
            progress = _begin(context, after_key)
        with context.database.write() as session:
            progress = extend_scan(session, progress, by.row.id, batch.new_scores, context.now)
        parts.append(batch.scores)
    return progress, parts


def _begin(context: JobContext, after_key: int) -> Scan:
    with context.database.write() as session:
        leaves_gap = after_key > last_scored_key(session)
        return start_scan(session, after_key, leaves_gap=leaves_gap, now=context.now)


def _select(context: JobContext, by: Champion, progress: Scan, parts: list[Scores]) -> ScanResult:
    """Select the outliers of a scan whose records are all scored."""
    scores = Scores.join(parts)
    with context.database.read() as session:
        earlier = earlier_scores(session, progress, max(0, MIN_JUDGED - len(scores.keys)))
    selection = by.select(scores, earlier)
    result = _describe(by, selection, len(scores.keys) + len(earlier.keys))
    explained = _explain(context, by, scores.keys[selection.outliers].tolist())
    facts = (by.rate, result.calibration_rows, context.now)
    with context.database.write() as session:
        close_scan(session, progress, scores, selection, explained, *facts)
    return result


def _explain(context: JobContext, by: Champion, keys: list[int]) -> list[Mapping[str, float]]:
    """What makes each of these requests unusual; nothing of one that is not stored any more."""
    explained: dict[int, Mapping[str, float]] = {}
    for first in range(0, len(keys), _EXPLAINED):
        with context.database.read() as session:
            outliers = features_by_key(session, by.model.names, keys[first : first + _EXPLAINED])
        explained |= zip(outliers.request_pks, by.model.explain(outliers.rows), strict=True)
    return [explained.get(key, {}) for key in keys]


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


def _describe(by: Champion, selection: Selection, judged: int) -> ScanResult:
    return ScanResult(
        records=len(selection.outliers),
        outliers=int(selection.outliers.sum()),
        judged=judged,
        rate=by.rate,
        calibration_rows=len(by.model.calibration),
        is_promised=selection.is_promised,
    )

"""What another outlier model makes of stored requests, scan by scan as they were scored then."""

from collections.abc import Callable, Iterator, Set
from itertools import groupby
from operator import itemgetter

import numpy as np

from detectors.outliers.preparation import Vector
from jobs.backtest.trial import ModelOutliers
from jobs.outliers.judging import Champion
from jobs.outliers.scan import MIN_JUDGED
from store.models.scans import Scores
from store.requests.past_requests import PastRows

ReadRows = Callable[[int], PastRows]
"""Reads the features of the first requests beyond a key; none at the end."""


def find_outliers(by: Champion, read: ReadRows, after_key: int) -> ModelOutliers:
    """The outliers of a model among the requests beyond a key.

    They are selected among the requests of their scan and, if these are few, the latest before
    them, as the job ``scan`` does; those that no scan has scored, among those of a chunk.
    """
    selected, noticed = set[int](), set[int]()
    is_promised = True
    earlier: Scores | None = None
    for _, parts in groupby(_score_parts(by, read, after_key, noticed), key=itemgetter(0)):
        scores = Scores.join([part for _, part in parts])
        before = scores.take(0) if earlier is None else earlier
        selection = by.select(scores, before.take(max(0, MIN_JUDGED - len(scores.keys))))
        selected |= set(scores.keys[selection.outliers].tolist())
        is_promised &= selection.is_promised
        earlier = Scores.join([_newest_first(scores), before]).take(MIN_JUDGED)
    return ModelOutliers(selected, noticed, is_promised)


def _score_parts(
    by: Champion, read: ReadRows, after_key: int, noticed: set[int]
) -> Iterator[tuple[object, Scores]]:
    """Scores by scan, in pieces of a chunk; what is noticed at request time is added on the way."""
    while len((rows := read(after_key)).keys):
        after_key = rows.keys[-1]
        values = by.model.score(rows.rows)
        judged = by.model.calibrate(values, rows.sources)
        scores = Scores(np.array(rows.keys, np.int64), judged.p_values, judged.rows, rows.clients)
        noticed |= _notice(by, scores, values)
        yield from _split(rows, scores)


def _notice(by: Champion, scores: Scores, values: Vector) -> Set[int]:
    """Keys of what the model finds unusual among all that it learnt from, one by one."""
    is_noticed = by.model.p_values(values) <= by.max_p_value
    return set(scores.keys[is_noticed].tolist())


def _split(rows: PastRows, scores: Scores) -> Iterator[tuple[object, Scores]]:
    """The scores of a chunk by scan; those of none are a group of the chunk."""
    start = 0
    for scan, members in groupby(rows.scans):
        end = start + len(list(members))
        piece = slice(start, end)
        group = ("chunk", rows.keys[0]) if scan is None else scan
        yield group, Scores(*(column[piece] for column in vars(scores).values()))
        start = end


def _newest_first(scores: Scores) -> Scores:
    return Scores(*(column[::-1] for column in vars(scores).values()))

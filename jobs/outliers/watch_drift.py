"""Watch drift: how far each source's newest traffic is from what the outlier model learnt from."""

from collections.abc import Iterator
from datetime import timedelta

from detectors.drift.drift import Drift, DriftKind, find_drift, is_comparable
from detectors.drift.windows import Window
from detectors.registry import FITTED_NAMES
from jobs.context import JobContext, JobOutcome, Skipped
from store.baselines.drifts import (
    keep_drift,
    list_recent_sources,
    read_window,
    settle_drifts,
)
from store.engine.reader_locks import Reader, lock_for_reading
from store.models.outlier_models import champion
from store.phrases import phrase_count
from store.tables.work_tables import OutlierModelRow

NEWEST = timedelta(days=1)
"""How long the window of newest traffic is."""

_MAX_REQUESTS = 20_000
_WORDS = {
    DriftKind.NONE: "is what it was",
    DriftKind.WORLD: "changed, over many clients",
    DriftKind.PUSH: "is pushed by a few",
}


def run(context: JobContext) -> JobOutcome:
    """The job ``watch_drift``.

    Raises:
        Skipped: there is no outlier model yet.
    """
    with context.database.read() as session:
        model = champion(session)
        sources = list_recent_sources(session, context.now - NEWEST)
    if model is None:
        raise Skipped("There is no outlier model yet, and so nothing that traffic drifts from.")
    kinds_by_source = dict(_watch(context, model, sources))
    with context.database.write() as session:
        settle_drifts(session, context.now - NEWEST, context.now)
    kinds = [
        f"The traffic of {source[:12]} {_WORDS[kind]}." for source, kind in kinds_by_source.items()
    ]
    return JobOutcome(" ".join((_phrase_numbers(len(kinds_by_source), len(sources)), *kinds)))


def _phrase_numbers(compared: int, sources: int) -> str:
    left = sources - compared
    more = f"; {left} had too little traffic for that" if left else ""
    return f"{phrase_count(compared, 'source')} compared{more}."


def _watch(
    context: JobContext, model: OutlierModelRow, sources: tuple[str, ...]
) -> Iterator[tuple[str, DriftKind]]:
    for source in sources:
        before, now = _read(context, model, source)
        if not (is_comparable(before) and is_comparable(now)):
            continue
        drift = find_drift(before, now, FITTED_NAMES)
        _keep(context, source, model.digest, now, drift)
        yield source, drift.kind


def _read(context: JobContext, model: OutlierModelRow, source: str) -> tuple[Window, Window]:
    """What the model learnt from, and what came last; they share nothing."""
    learnt_since = model.trained_at - timedelta(days=context.settings.training.training_days)
    newest_since = max(model.trained_at, context.now - NEWEST)
    with lock_for_reading(context.database, Reader.TRAINING), context.database.read() as session:
        return (
            read_window(
                session, source, FITTED_NAMES, learnt_since, model.trained_at, _MAX_REQUESTS
            ),
            read_window(session, source, FITTED_NAMES, newest_since, context.now, _MAX_REQUESTS),
        )


def _keep(context: JobContext, source: str, digest: str, now: Window, drift: Drift) -> None:
    with context.database.write() as session:
        keep_drift(session, source, digest, now, drift, context.now)

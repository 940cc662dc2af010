"""Catch up: whether a retraining is due apart from its hour."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy.orm import Session

from detectors.outliers.model import MIN_ROWS
from detectors.registry import FITTED_NAMES
from jobs.context import JobContext
from jobs.outliers.nightly import nightly
from store.alerts.job_runs import FAILED, last_outcome, last_success
from store.models.outlier_models import OutlierModelStore, champion, find_held_back
from store.requests.record_store import clean_features

# The nightly run itself takes a while, and is no missed one meanwhile.
_GRACE = timedelta(hours=1)
_PAUSE = timedelta(hours=1)


def retrain_is_due(context: JobContext) -> bool:
    """Due when there is no model, when its file is gone or of an earlier version, and when the
    nightly training was missed.
    """
    with context.database.read() as session:
        return (
            _model_is_missing_or_old(session, context)
            and not _was_in_vain_lately(session, context)
            and _has_enough_records(session, context)
        )


def _model_is_missing_or_old(session: Session, context: JobContext) -> bool:
    success = last_success(session, "retrain")
    due = nightly(context.settings).last_time(context.now - _GRACE)
    if success is None or success < due:
        return True
    if champion(session) is None:
        # The first one may be held back, too: then a person looks at it, or the next night helps.
        return find_held_back(session) is None
    return bool(OutlierModelStore(context.settings.store.var_dir).list_missing(session))


def _was_in_vain_lately(session: Session, context: JobContext) -> bool:
    last = last_outcome(session, "retrain")
    if last is None or (last.outcome != FAILED and find_held_back(session) is None):
        return False
    # Either way: a clock that was put back dates the run into the future.
    return abs(context.now - last.started_at) < _PAUSE


def _has_enough_records(session: Session, context: JobContext) -> bool:
    settings = context.settings
    since = context.now - timedelta(days=settings.training.training_days)
    bounds = replace(settings.training.bounds(), most=MIN_ROWS)
    sample = clean_features(session, FITTED_NAMES[:1], since, bounds)
    return len(sample.rows) >= MIN_ROWS

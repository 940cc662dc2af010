"""What ``maskwatch detectors compare`` measures."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from detectors.outliers.comparison import NamedRows, movement, p_values_of
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Vector
from detectors.registry import FEATURE_NAMES
from jobs.settings import JobSettings
from store.engine.existing import existing_database
from store.models.outlier_models import OutlierModelStore
from store.models.stored_models import find_model, read_model
from store.phrases import phrase_count
from store.requests.record_store import clean_features

_MAX_ROWS = 2_000
_SHARES = (0.1, 0.01, 0.001)


def compare(settings: JobSettings, first: str, second: str, now: datetime) -> Iterator[str]:
    """How two models judge the newest vetted records, line by line.

    Raises:
        NoOutlierModel: one does not exist, or its file is gone.
        OutlierModelError: a file was changed or is of another version.
    """
    with existing_database(settings) as database, database.read() as session:
        models = [_read(session, settings, name) for name in (first, second)]
        rows = _read_rows(session, settings, now)
    if not len(rows.rows):
        yield "There are no vetted records to compare them on."
        return
    yield from _compare(models, (first, second), rows)


def _compare(models: list[OutlierModel], names: tuple[str, str], rows: NamedRows) -> Iterator[str]:
    one, other = (p_values_of(model, rows) for model in models)
    yield f"{phrase_count(len(rows.rows), 'vetted record')}, the newest"
    yield _line("", *names)
    yield _line("kind", *(model.kind for model in models))
    yield _line("calibration", *(str(len(model.calibration)) for model in models))
    for share in _SHARES:
        yield _line(f"p-value up to {share:g}", *(_say_share(p, share) for p in (one, other)))
    yield f"Their p-values lie {movement(one, other):.3f} apart in the mean."


def _line(words: str, first: str, second: str) -> str:
    return f"{words:<20}{first[:18]:>20}{second[:18]:>20}"


def _say_share(p_values: Vector, limit: float) -> str:
    return f"{100 * float(np.mean(p_values <= limit)):.2f} %"


def _read(session: Session, settings: JobSettings, name: str) -> OutlierModel:
    return read_model(OutlierModelStore(settings.store.var_dir), find_model(session, name))


def _read_rows(session: Session, settings: JobSettings, now: datetime) -> NamedRows:
    training = settings.training
    since = now - timedelta(days=training.training_days)
    limits = (training.training_rows_per_client, _MAX_ROWS)
    matrix = clean_features(session, FEATURE_NAMES, since, *limits)
    return NamedRows(matrix.names, matrix.rows)

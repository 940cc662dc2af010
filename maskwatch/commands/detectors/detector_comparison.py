"""What ``maskwatch detectors compare`` measures."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from detectors.outliers.comparison import NamedRows, movement, p_values_of
from detectors.outliers.kinds import FrozenKind
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Vector
from detectors.registry import FEATURE_NAMES
from jobs.settings import JobSettings
from maskwatch.commands.detectors.detector_views import open_models
from store.engine.existing import existing_database
from store.models.frozen_sets import FrozenSetStore, find_frozen_set
from store.models.stored_models import find_model, read_model
from store.phrases import phrase_count
from store.requests.record_store import clean_features

_MAX_ROWS = 2_000
_SHARES = (0.1, 0.01, 0.001)


def compare(settings: JobSettings, first: str, second: str, now: datetime) -> Iterator[str]:
    """How two models judge the newest vetted records and the frozen sets, line by line.

    Raises:
        NoOutlierModel: one does not exist, or its file is gone.
        OutlierModelError: a file was changed, is of another version, or is signed by nobody.
        FrozenSetError: the file of a frozen set is gone, was changed or is of another version.
    """
    with existing_database(settings) as database, database.read() as session:
        models = [_read(session, settings, name) for name in (first, second)]
        sets = {
            "that were vetted, the newest": _read_rows(session, settings, now),
            **_read_sets(session, settings),
        }
    yield _line("", first, second)
    yield _line("kind", *(model.kind for model in models))
    yield _line("calibration", *(str(len(model.calibration)) for model in models))
    for name, rows in sets.items():
        if len(rows.rows):
            yield from _compare(models, name, rows)
        else:
            yield "There are no vetted records to compare them on."


def _compare(models: list[OutlierModel], name: str, rows: NamedRows) -> Iterator[str]:
    one, other = (p_values_of(model, rows) for model in models)
    yield f"{phrase_count(len(rows.rows), 'request')} {name}"
    for share in _SHARES:
        yield _line(f"  p-value up to {share:g}", *(_say_share(p, share) for p in (one, other)))
    yield f"  Their p-values lie {movement(one, other):.3f} apart in the mean."


def _read_sets(session: Session, settings: JobSettings) -> dict[str, NamedRows]:
    store = FrozenSetStore(settings.store.var_dir)
    rows = ((kind, find_frozen_set(session, kind)) for kind in FrozenKind)
    return {
        f"of the frozen {kind} set": store.read(row).features
        for kind, row in rows
        if row is not None
    }


def _line(words: str, first: str, second: str) -> str:
    return f"{words:<24}{first[:18]:>20}{second[:18]:>20}"


def _say_share(p_values: Vector, limit: float) -> str:
    return f"{100 * float(np.mean(p_values <= limit)):.2f} %"


def _read(session: Session, settings: JobSettings, name: str) -> OutlierModel:
    return read_model(open_models(settings), find_model(session, name))


def _read_rows(session: Session, settings: JobSettings, now: datetime) -> NamedRows:
    training = settings.training
    since = now - timedelta(days=training.training_days)
    bounds = replace(training.bounds(), most=_MAX_ROWS)
    matrix = clean_features(session, FEATURE_NAMES, since, bounds)
    return NamedRows(matrix.names, matrix.rows)

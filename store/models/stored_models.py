"""Outlier models as they are read back: by number or digest, whole or with what is wrong."""

import re
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.outliers.base import ModelChanged
from detectors.outliers.model import OutlierModel
from store.models.outlier_models import NoOutlierModel, OutlierModelStore
from store.tables.work_tables import OutlierModelRow

_MIN_DIGITS = 6
_DIGEST_BEGIN = re.compile(rf"[0-9a-f]{{{_MIN_DIGITS},64}}")


def read_model(store: OutlierModelStore, row: OutlierModelRow) -> OutlierModel:
    """The model of a row.

    Raises:
        NoOutlierModel: its file is gone.
        ModelChanged: its file was changed.
        OutlierModelError: its file is of another version.
    """
    try:
        return OutlierModel.loads(store.read(row.digest), row.digest)
    except ModelChanged:
        raise ModelChanged(
            f"The file {store.path_of(row.digest)} of outlier model {row.id} was changed on disk: "
            "put it back from a backup, or promote another model with `maskwatch detectors "
            "promote`. If there is none, remove the file, and the next retraining replaces it."
        ) from None


def list_models(session: Session) -> Sequence[OutlierModelRow]:
    """All models, the newest first."""
    return session.scalars(select(OutlierModelRow).order_by(OutlierModelRow.id.desc())).all()


def find_model(session: Session, name: str) -> OutlierModelRow:
    """The model of a number, or of a digest or its first six digits or more.

    Raises:
        NoOutlierModel: there is none, or there are several.
    """
    if name.isascii() and name.isdigit() and len(name) < _MIN_DIGITS:
        rows = [session.get(OutlierModelRow, int(name))]
    elif _DIGEST_BEGIN.fullmatch(name.lower()):
        begins_so = OutlierModelRow.digest.startswith(name.lower())
        rows = [*session.scalars(select(OutlierModelRow).where(begins_so).limit(2))]
    else:
        rows = []
    match rows:
        case [OutlierModelRow() as row]:
            return row
        case [_, _]:
            raise NoOutlierModel(f"Several outlier models begin with {name!r}: give more digits.")
        case _:
            raise NoOutlierModel(
                f"There is no outlier model {name!r}: `maskwatch detectors list` shows all."
            )

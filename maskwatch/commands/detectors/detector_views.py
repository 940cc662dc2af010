"""What ``maskwatch detectors list`` and ``show`` read."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from detectors.outliers.base import OutlierModelError
from jobs.settings import JobSettings
from maskwatch.commands.detectors.model_views import WHOLE, ModelView, view_promotions
from store.engine.existing import existing_database
from store.models.outlier_models import NoOutlierModel, OutlierModelStore
from store.models.promotions import list_promotions
from store.models.stored_models import find_model, list_models, read_model
from store.settings import StoreSettings
from store.tables.model_tables import PromotionRow
from store.tables.work_tables import OutlierModelRow


@dataclass(frozen=True, kw_only=True)
class DetectorView(ModelView):
    """An outlier model as people may see it."""

    id: int
    rows: int
    is_champion: bool

    def to_text(self) -> str:
        """One line for people."""
        return self._phrase(str(self.id), f"{self.rows} records", is_in_force=self.is_champion)


def read_detectors(settings: StoreSettings) -> list[DetectorView]:
    """All models, newest first."""
    with existing_database(settings) as database, database.read() as session:
        promotions = list_promotions(session, PromotionRow)
        return [_view(row, promotions) for row in list_models(session)]


def read_detector(settings: JobSettings, name: str) -> DetectorView:
    """One model, with what its file is like.

    Raises:
        NoOutlierModel: there is no such model, or there are several.
    """
    with existing_database(settings) as database, database.read() as session:
        row = find_model(session, name)
        return _view(row, list_promotions(session, PromotionRow), _look_at_file(settings, row))


def find_whole_model(session: Session, settings: JobSettings, name: str) -> OutlierModelRow:
    """A model whose file can be read.

    Raises:
        NoOutlierModel: there is no such model, or its file is gone.
        OutlierModelError: its file was changed, is of another version, or is signed by nobody.
    """
    row = find_model(session, name)
    read_model(open_models(settings), row)
    return row


def open_models(settings: JobSettings) -> OutlierModelStore:
    """The archives; with keys in the settings, those that one of them signed."""
    return OutlierModelStore(settings.store.var_dir, settings.outliers.outlier_model_keys)


def _look_at_file(settings: JobSettings, row: OutlierModelRow) -> str:
    try:
        read_model(open_models(settings), row)
    except (NoOutlierModel, OutlierModelError) as error:
        return str(error)
    return WHOLE


def _view(
    row: OutlierModelRow, promotions: Sequence[PromotionRow], file: str | None = None
) -> DetectorView:
    return DetectorView(
        id=row.id,
        digest=row.digest,
        kind=row.kind,
        trained_at=row.trained_at.isoformat(),
        rows=row.rows,
        is_champion=row.promoted,
        metrics=row.metrics,
        promotions=view_promotions(promotions, row.id),
        file=file,
    )

"""What ``maskwatch detectors list`` and ``show`` read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy.orm import Session

from detectors.outliers.base import OutlierModelError
from jobs.settings import JobSettings
from maskwatch.commands.printable import escape_unprintable
from store.engine.existing import existing_database
from store.models.outlier_models import NoOutlierModel, OutlierModelStore
from store.models.promotions import list_promotions
from store.models.stored_models import find_model, list_models, read_model
from store.settings import StoreSettings
from store.tables.model_tables import PromotionRow
from store.tables.work_tables import OutlierModelRow

WHOLE = "as it was written"
"""What is said of a file that nobody changed."""


@dataclass(frozen=True)
class PromotionView:
    """When a model came into force; the time in ISO 8601, UTC."""

    promoted_at: str
    promoted_by: str
    why: str


@dataclass(frozen=True)
class DetectorView:
    """An outlier model as people may see it; times in ISO 8601, UTC.

    Attributes:
        metrics: what the retraining measured and decided.
        file: whether its file is as it was written, or what is wrong; ``None`` if nobody looked.
    """

    id: int
    digest: str
    kind: str
    trained_at: str
    rows: int
    is_champion: bool
    metrics: Mapping[str, object]
    promotions: tuple[PromotionView, ...]
    file: str | None = None

    def to_text(self) -> str:
        """One line for people."""
        mark = "*" if self.is_champion else " "
        text = (
            f"{mark}{self.id:>5}  {self.digest[:12]}  {self.kind:<18} {self.trained_at[:16]}  "
            f"{self.rows} records  {self._say_standing()}"
        )
        return escape_unprintable(text)

    def to_lines(self) -> Iterator[str]:
        """All that is known of it, line by line."""
        yield self.to_text()
        yield f"digest     {self.digest}"
        yield escape_unprintable(f"file       {self.file}")
        for name, value in sorted(self.metrics.items()):
            yield escape_unprintable(f"{name}: {json.dumps(value)}")
        for each in self.promotions:
            text = f"in force from {each.promoted_at[:16]} by {each.promoted_by}. {each.why}"
            yield escape_unprintable(text.rstrip())

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self))

    def _say_standing(self) -> str:
        if self.promotions:
            last = self.promotions[-1]
            return f"promoted {last.promoted_at[:16]} by {last.promoted_by}"
        return f"held back: {self.metrics.get('held_back_because', 'not promoted yet')}"


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
    own = tuple(
        PromotionView(each.promoted_at.isoformat(), each.promoted_by, each.why)
        for each in promotions
        if each.model_id == row.id
    )
    return DetectorView(
        row.id,
        row.digest,
        row.kind,
        row.trained_at.isoformat(),
        row.rows,
        row.promoted,
        row.metrics,
        own,
        file,
    )

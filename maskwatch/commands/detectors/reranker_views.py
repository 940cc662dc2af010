"""What ``maskwatch detectors`` and ``maskwatch feedback status`` read of re-rankers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from detectors.ranking.reranker import RerankerError
from jobs.settings import JobSettings
from maskwatch.commands.detectors.model_views import WHOLE, ModelView, view_promotions
from maskwatch.commands.printable import escape_unprintable
from store.engine.existing import existing_database
from store.models.archive_signatures import UntrustedModel
from store.models.promotions import list_promotions
from store.models.rerankers import (
    RerankerStore,
    find_reranker,
    find_reranker_in_force,
    list_rerankers,
)
from store.pages.ranking_views import read_ranking
from store.settings import StoreSettings
from store.tables.model_tables import RerankerPromotionRow, RerankerRow


@dataclass(frozen=True, kw_only=True)
class RerankerView(ModelView):
    """A re-ranker as people may see it.

    Attributes:
        labels: as how many labels those that it learnt from count.
    """

    id: str
    labels: int
    is_in_force: bool

    def to_text(self) -> str:
        """One line for people."""
        return self._phrase(self.id, f"{self.labels} labels", is_in_force=self.is_in_force)


def read_rerankers(settings: StoreSettings) -> list[RerankerView]:
    """All re-rankers, newest first."""
    with existing_database(settings) as database, database.read() as session:
        in_force, promotions = _read_standing(session)
        return [_view(row, in_force, promotions) for row in list_rerankers(session)]


def read_reranker(settings: JobSettings, name: str) -> RerankerView:
    """One re-ranker, with what its file is like.

    Raises:
        NoReranker: there is none of that name.
    """
    with existing_database(settings) as database, database.read() as session:
        row = find_reranker(session, name)
        return _view(row, *_read_standing(session), _look_at_file(settings, row))


def describe_state(settings: JobSettings) -> Iterator[str]:
    """What orders the lists, and how far the labels are, line by line.

    Raises:
        MaskwatchError: the database cannot be used.
    """
    with existing_database(settings) as database, database.read() as session:
        ranking = read_ranking(session, open_rerankers(settings))
    yield f"Order: {ranking.order}."
    if ranking.labels is None:
        yield "Labels: there is no outlier model of this version yet that they could be about."
    else:
        yield f"Labels: {ranking.labels.sentence}"
    if ranking.held_out is not None:
        yield f"{ranking.name}: {ranking.held_out.sentence}"
    if ranking.note:
        yield escape_unprintable(ranking.note)


def open_rerankers(settings: JobSettings) -> RerankerStore:
    """The archives; with keys in the settings, those that one of them signed."""
    return RerankerStore(settings.store.var_dir, settings.outliers.outlier_model_keys)


def _look_at_file(settings: JobSettings, row: RerankerRow) -> str:
    try:
        open_rerankers(settings).read(row)
    except (RerankerError, UntrustedModel) as error:
        return str(error)
    return WHOLE


def _read_standing(session: Session) -> tuple[int | None, Sequence[RerankerPromotionRow]]:
    present = find_reranker_in_force(session)
    in_force = None if present is None else present.id
    return in_force, list_promotions(session, RerankerPromotionRow)


def _view(
    row: RerankerRow,
    in_force: int | None,
    promotions: Sequence[RerankerPromotionRow],
    file: str | None = None,
) -> RerankerView:
    return RerankerView(
        id=f"r{row.id}",
        digest=row.digest,
        kind="reranker",
        trained_at=row.trained_at.isoformat(),
        labels=row.labels,
        is_in_force=row.id == in_force,
        metrics=row.metrics,
        promotions=view_promotions(promotions, row.id),
        file=file,
    )

"""What ``maskwatch detectors`` and ``maskwatch feedback status`` read of re-rankers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy.orm import Session

from detectors.ranking.reranker import RerankerError
from jobs.settings import JobSettings
from maskwatch.commands.detectors.detector_views import WHOLE, PromotionView
from maskwatch.commands.printable import escape_unprintable
from store.engine.existing import existing_database
from store.models.archive_signatures import UntrustedModel
from store.models.outlier_models import HELD_BACK
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


@dataclass(frozen=True)
class RerankerView:
    """A re-ranker as people may see it; times in ISO 8601, UTC.

    Attributes:
        labels: as how many labels those that it learnt from count.
        metrics: of its held-out trial, and what was decided.
        file: whether its file is as it was written, or what is wrong; ``None`` if nobody looked.
    """

    id: str
    digest: str
    kind: str
    trained_at: str
    labels: int
    is_in_force: bool
    metrics: Mapping[str, object]
    promotions: tuple[PromotionView, ...]
    file: str | None = None

    def to_text(self) -> str:
        """One line for people."""
        mark = "*" if self.is_in_force else " "
        text = (
            f"{mark}{self.id:>5}  {self.digest[:12]}  {self.kind:<18} {self.trained_at[:16]}  "
            f"{self.labels} labels  {self._say_standing()}"
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
            yield escape_unprintable(text)

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self))

    def _say_standing(self) -> str:
        if self.promotions:
            last = self.promotions[-1]
            return f"promoted {last.promoted_at[:16]} by {last.promoted_by}"
        return f"held back: {self.metrics.get(HELD_BACK, 'not promoted yet')}"


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
    own = tuple(
        PromotionView(each.promoted_at.isoformat(), each.promoted_by, each.why)
        for each in promotions
        if each.model_id == row.id
    )
    return RerankerView(
        f"r{row.id}",
        row.digest,
        "reranker",
        row.trained_at.isoformat(),
        row.labels,
        row.id == in_force,
        row.metrics,
        own,
        file,
    )

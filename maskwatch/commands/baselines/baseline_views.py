"""What ``maskwatch baselines`` reads and changes."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from detectors.baseline.baseline import Baseline
from maskwatch.commands.printable import escape_unprintable
from store.baselines.baselines import find_baseline, list_baselines, read_baseline_row
from store.baselines.sources import list_sources, promote, roll_back
from store.engine.database import Database
from store.pages.source_progress import SourceProgress, list_progress
from store.tables.baseline_tables import BaselineRow

# At which share of clean pictures two baselines are compared.
_RATES = (0.01, 0.005, 0.001)


@dataclass(frozen=True)
class BaselineView:
    """A baseline as people may see it; times in ISO 8601, UTC.

    Attributes:
        id: ``None`` of one that was read from a file and never stored, as is ``learnt_at``.
        is_judging: whether its source is judged by it now.
    """

    id: int | None
    source: str
    digest: str
    origin: str
    pictures: int
    clients: int
    learnt_at: str | None
    promoted_at: str | None
    promoted_by: str | None
    parent: int | None
    is_judging: bool

    def to_text(self) -> str:
        """One line for people."""
        mark = "*" if self.is_judging else " "
        text = (
            f"{mark}{self.id or '':>5}  {self.source[:12]}  {self.origin:<8} "
            f"{(self.learnt_at or '')[:16]:<16}  "
            f"{self.pictures} pictures of {self.clients} clients"
        )
        if self.promoted_by is not None:
            text += f", promoted by {self.promoted_by}"
        return escape_unprintable(text)

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self))


def read_progress(database: Database) -> tuple[SourceProgress, ...]:
    """How far each source is learnt."""
    with database.read() as session:
        return list_progress(session)


def describe_progress(sources: Iterable[SourceProgress]) -> Iterator[str]:
    """A line for each source, and below it one for each demoted rule."""
    for source in sources:
        yield f"{source.title}: {source.standing}"
        yield from (f"  {sentence}" for sentence in source.demoted)


def read_baselines(database: Database, source: str | None) -> list[BaselineView]:
    """The baselines, newest first; those of sources that begin so."""
    with database.read() as session:
        judging = {row.baseline_id for row in list_sources(session)}
        return [_view(row, judging) for row in list_baselines(session, source)]


def read_text(database: Database, baseline_id: int) -> str:
    """A baseline as the text of a file that ``MASKWATCH_BASELINE`` takes.

    Raises:
        BaselineError: there is none, or it was changed.
    """
    with database.read() as session:
        row = find_baseline(session, baseline_id)
        read_baseline_row(row)
        return row.text


def compare_baselines(database: Database, first_id: int, second_id: int) -> Iterator[str]:
    """What two baselines let a clean picture reach, line by line.

    Raises:
        BaselineError: one does not exist, or was changed.
    """
    with database.read() as session:
        first, second = _read(session, first_id), _read(session, second_id)
    yield f"{'':<28}{first_id:>12}{second_id:>12}"
    for name, before, after in _pairs(first, second):
        yield f"{name:<28}{before:>12.4g}{after:>12.4g}"


def promote_baseline(database: Database, baseline_id: int, actor: str, now: datetime) -> str:
    """Put a baseline in force; what holds then.

    Raises:
        BaselineError: there is none, or it was changed.
    """
    with database.write() as session:
        row = promote(session, baseline_id, actor, now)
        return _describe(row.digest, row.baseline_id)


def roll_baseline_back(database: Database, source: str, actor: str, now: datetime) -> str:
    """Put the baseline before the present one in force; what holds then.

    Raises:
        BaselineError: there is no such source, or no baseline before.
    """
    with database.write() as session:
        row = roll_back(session, source, actor, now)
        return _describe(row.digest, row.baseline_id)


def _describe(source: str, baseline_id: int | None) -> str:
    return f"Baseline {baseline_id} judges {source[:12]} from now on; services know it in a second."


def _view(row: BaselineRow, judging: set[int | None]) -> BaselineView:
    return BaselineView(
        row.id,
        row.source,
        row.digest,
        row.origin,
        row.rows,
        row.clients,
        row.learnt_at.isoformat(),
        None if row.promoted_at is None else row.promoted_at.isoformat(),
        row.promoted_by,
        row.parent_id,
        row.id in judging,
    )


def _read(session: Session, baseline_id: int) -> Baseline:
    return read_baseline_row(find_baseline(session, baseline_id))


def _pairs(first: Baseline, second: Baseline) -> Iterator[tuple[str, float, float]]:
    yield "looked at again from", first.look_again, second.look_again
    for rate in _RATES:
        words = f"crafted from, at {100 * rate:g} %"
        yield words, first.threshold(rate), second.threshold(rate)
    limits = {each.evidence.name: each.limit for each in second.expectations}
    for each in first.expectations:
        if each.evidence.name in limits:
            yield each.evidence.name, each.limit, limits[each.evidence.name]
    after = second.limits.list_learnt()
    for name, value in first.limits.list_learnt().items():
        yield name, value, after[name]

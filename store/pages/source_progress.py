"""How far each source is learnt: for the overview, `/readyz` and `maskwatch doctor`."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from detectors.baseline.phases import Phase
from store.baselines.rule_budgets import describe_budget, list_budgets
from store.baselines.source_names import find_name, show_title
from store.baselines.sources import MIN_IN_FORCE, MIN_PROVISIONAL, list_sources
from store.baselines.trigger_limits import read_trigger_limit
from store.phrases import phrase_count
from store.tables.baseline_tables import SourceRow


@dataclass(frozen=True)
class SourceProgress:
    """How far a source is learnt.

    Attributes:
        name: what its operator calls it, if that is known.
        pictures: sampled pictures that count, of ``goal`` that it takes for the next phase.
        why: what holds it, or what changed it last, and whether triggers have a learnt limit.
        demoted: what each rule does that is recorded and does not flag, in sentences.
    """

    source: str
    name: str | None
    phase: Phase
    pictures: int
    goal: int
    clients: int
    why: str
    is_strange: bool
    demoted: tuple[str, ...]

    @property
    def title(self) -> str:
        """What people know it by, with the begin of its digest."""
        return show_title(self.source, self.name)

    @property
    def standing(self) -> str:
        """The summary and its reason."""
        return f"{self.summary}. {self.why}"

    @property
    def summary(self) -> str:
        """In a few words, e.g. ``learning, 137 of 200``."""
        if self.phase is not Phase.IN_FORCE:
            return f"{self.phase.value}, {self.pictures} of {self.goal}"
        rules = phrase_count(len(self.demoted), "rule")
        return f"in force, {rules} demoted" if self.demoted else "in force"


def list_progress(session: Session) -> tuple[SourceProgress, ...]:
    """All sources by digest."""
    demoted = [row for row in list_budgets(session) if row.is_demoted]
    return tuple(
        SourceProgress(
            source=row.digest,
            name=find_name(session, row.digest),
            phase=Phase(row.phase),
            pictures=row.pictures,
            goal=MIN_PROVISIONAL if row.phase == Phase.LEARNING.value else MIN_IN_FORCE,
            clients=row.clients,
            why=_explain(row),
            is_strange=row.is_strange,
            demoted=tuple(
                describe_budget(budget) for budget in demoted if budget.source == row.digest
            ),
        )
        for row in list_sources(session)
    )


def _explain(row: SourceRow) -> str:
    limit = read_trigger_limit(row)
    return f"{row.why} Suspected triggers flag above {limit:g}." if limit else row.why

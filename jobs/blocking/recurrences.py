"""Puts what recurs in flagged pictures on the blacklist, whatever it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from jobs.blocking.policy import phrase_blocks
from jobs.context import JobContext, JobOutcome
from store.decisions.decisions import BY_POLICY, NewDecision, add_decision
from store.decisions.scenarios import read_switches
from store.decisions.scopes import Kind, Scope
from store.engine.locks import take_turn
from store.phrases import phrase_count
from store.requests.kept_pictures import KeptPicture


@dataclass(frozen=True, eq=False)
class Recurrence:
    """Something that flagged pictures share and ordinary ones do not show.

    Attributes:
        digest: of what is shared.
        evidence: what finds it in other pictures, and how clearly the members show it.
        members: the flagged pictures.
    """

    digest: str
    evidence: Mapping[str, object]
    members: Sequence[KeptPicture]

    @property
    def reason(self) -> str:
        """Why the pictures accuse what they share."""
        clients = len({picture.client for picture in self.members})
        return (
            f"{phrase_count(len(self.members), 'flagged picture')} of "
            f"{phrase_count(clients, 'client')} show it; ordinary pictures do not."
        )


@dataclass(frozen=True)
class RecurrenceJob:
    """A job that looks for what recurs.

    Attributes:
        name: of the job.
        scope: of its decisions; its value is also the word for what recurs.
    """

    name: str
    scenario: str
    scope: Scope

    def is_simulated(self, context: JobContext) -> bool:
        """Whether what it lists is only watched."""
        simulates_all = context.settings.blocking.simulate_blocks
        with context.database.read() as session:
            switches = read_switches(session, simulates_all=simulates_all)
        return not switches.enforces(self.scenario)

    def block(
        self,
        context: JobContext,
        recurrences: Sequence[Recurrence],
        days: int,
        *,
        simulated: bool,
    ) -> JobOutcome:
        """Block what recurs, all or nothing, while no other run of the job does."""
        with context.database.write() as session:
            take_turn(session, self.name)
            for each in recurrences:
                decision = self._decision(each, context, days, simulated=simulated)
                add_decision(session, decision, context.now)
        return JobOutcome(self._sentence(len(recurrences), simulated), len(recurrences))

    def _decision(
        self, recurrence: Recurrence, context: JobContext, days: int, *, simulated: bool
    ) -> NewDecision:
        return NewDecision(
            kind=Kind.BLOCK,
            scope=self.scope,
            value=recurrence.digest,
            scenario=self.scenario,
            origin=BY_POLICY,
            reason=recurrence.reason,
            created_by=BY_POLICY,
            until=context.now + timedelta(days=days),
            simulated=simulated,
            evidence={
                **recurrence.evidence,
                "request_ids": [picture.request_id for picture in recurrence.members],
            },
            job=self.name,
        )

    def _sentence(self, recurrences: int, simulated: bool) -> str:
        if not recurrences:
            return f"No {self.scope.value} recurs that ordinary pictures do not show."
        what = phrase_count(recurrences, self.scope.value)
        return phrase_blocks(what, (self.scenario,) if simulated else ())

"""The act of a network that attacks: a family, and a block that waits for a person."""

from dataclasses import dataclass
from datetime import UTC, datetime

from detectors.families.members import Tie
from jobs.commands import run_once
from jobs.settings import JobSettings
from maskwatch.demo.inspection import Inspection
from maskwatch.demo.pictures import make_noise
from maskwatch.demo.story import DAMAGED
from maskwatch.demo.visitor import Visitor
from store.audit.actors import command_line, operator
from store.decisions.decisions import BY_COMMAND
from store.decisions.proposals import Proposal, accept_proposal, list_open_proposals
from store.decisions.scenarios import ATTACKING_NETWORK, enable_scenario
from store.decisions.scopes import Scope
from store.pages.family_views import FamilyView

NETWORK = "2001:db8:66::/48"
"""Reserved for documentation (RFC 3849); each member has a /64 of it, as customers do."""

_MEMBERS, _FILES = 4, 8
# Files of their own: one that somebody else sent, too, would make one family of both.
_FIRST_SEED = 1000
_ADDRESSES = tuple(f"2001:db8:66:{number}::7" for number in range(1, _MEMBERS + 1))
_JOBS = ("scan", "group_families", "decide", "evaluate_alerts", "notify")


@dataclass(frozen=True)
class Gang:
    """Plays the act after the others, and checks what came of it."""

    inspection: Inspection
    jobs: JobSettings

    def play(self) -> None:
        """Somebody lets jobs block networks; one attacks; so many may only be proposed."""
        self._turn_on()
        for address in _ADDRESSES:
            self._send(Visitor(self.inspection.desk, address))
        for name in _JOBS:
            run_once(name, self.jobs, datetime.now(UTC))
        claim = "what the attacking network sent is one family"
        family = self.inspection.check_family(claim, Tie.NETWORK, NETWORK)
        self._check_proposal(family)

    def _turn_on(self) -> None:
        who = operator()
        with self.inspection.database.write() as session:
            why = "The demo shows it."
            actor = command_line(who)
            enable_scenario(session, ATTACKING_NETWORK, who, why, actor, datetime.now(UTC))

    def _send(self, visitor: Visitor) -> None:
        first = _FIRST_SEED + _FILES * _ADDRESSES.index(visitor.address)
        for seed in range(first, first + _FILES):
            answer = visitor.send(make_noise(seed))
            self.inspection.report.tally(DAMAGED, answer.status, answer.outcome)

    def _check_proposal(self, family: FamilyView | None) -> None:
        proposal = self._find_proposal()
        outcome = "none" if proposal is None else f"{proposal.value}: {proposal.limit_reached}"
        is_named = family is not None and proposal is not None and proposal.family == str(family.id)
        self.inspection.report.observe(
            "the block of that network is proposed, for its family", outcome, is_named
        )
        if proposal is not None:
            self._accept(proposal)
            claim = "  and once a person accepts it, the network is refused"
            self.inspection.check_refusal(claim, _ADDRESSES[0])

    def _find_proposal(self) -> Proposal | None:
        with self.inspection.database.read() as session:
            proposals = list_open_proposals(session, datetime.now(UTC))
        return next((each for each in proposals if each.scope is Scope.NETWORK), None)

    def _accept(self, proposal: Proposal) -> None:
        with self.inspection.database.write() as session:
            why = "All that they send is damaged."
            now = datetime.now(UTC)
            accept_proposal(session, proposal.id, operator(), why, BY_COMMAND, now)

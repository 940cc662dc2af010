"""What a run of ``decide`` decides: blocks, and proposals where a limit holds it back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from jobs.blocking.caps import CappedBlock, Caps
from jobs.blocking.judging import judge_clients
from jobs.blocking.network_blocks import block_networks
from jobs.blocking.policy import BlockPolicy
from jobs.context import JobContext
from jobs.settings import BlockingGroup
from store.decisions.decisions import NewDecision
from store.decisions.proposals import open_values
from store.decisions.scenarios import Switches, read_switches
from store.families.families import find_common_family
from store.models.outlier_models import champion


@dataclass(frozen=True)
class Plan:
    """What is decided.

    Attributes:
        blocks: enforced ones and simulated ones.
        proposals: blocks that a person has to make, each with the limit that says so.
    """

    blocks: tuple[NewDecision, ...]
    proposals: tuple[CappedBlock, ...]

    @property
    def enforced(self) -> tuple[NewDecision, ...]:
        """The blocks that keep somebody out."""
        return tuple(block for block in self.blocks if not block.simulated)

    def describe_hits(self) -> list[str]:
        """One sentence for each that is hit, or would be if a person agreed."""
        return [
            *(
                f"The next `decide` will block {each.value}: {each.reason}"
                for each in self.enforced
            ),
            *(
                f"The next `decide` will propose to block {each.block.value}: {each.block.reason} "
                f"{each.limit_reached}"
                for each in self.proposals
            ),
        ]


def block_policy(settings: BlockingGroup, *, simulated: bool) -> BlockPolicy:
    """The policy of these settings."""
    return BlockPolicy(
        block_after=settings.block_after,
        window_minutes=settings.block_window_minutes,
        block_minutes=settings.block_minutes,
        simulated=simulated,
    )


def read_job_switches(session: Session, context: JobContext) -> Switches:
    """Which scenarios are enforced now."""
    return read_switches(session, simulates_all=context.settings.blocking.simulate_blocks)


def plan_decisions(session: Session, context: JobContext, switches: Switches) -> Plan:
    """Judge all clients, then networks, then hold the blocks against the caps."""
    waiting = open_values(session, context.now)
    clients = _judge(session, context, switches)
    blocks = block_networks(session, context, switches, clients)
    new = [each for each in blocks if each.value not in waiting]
    promoted = champion(session)
    digest = None if promoted is None else promoted.digest
    named = [replace(each, model_digest=digest, family=_name_family(session, each)) for each in new]
    return _hold_back(session, context, named)


def _name_family(session: Session, block: NewDecision) -> str | None:
    """The family of the requests that led to a block."""
    request_ids = block.evidence.get("request_ids")
    if not isinstance(request_ids, list):
        return None
    family = find_common_family(session, request_ids)
    return None if family is None else str(family)


def _judge(session: Session, context: JobContext, switches: Switches) -> list[NewDecision]:
    """Blocks of clients and of their pictures, each simulated or not as its scenario is."""
    decisions: list[NewDecision] = []
    for simulated in (False, True):
        is_needed = switches.simulates_any if simulated else switches.enforces_any
        if is_needed:
            policy = block_policy(context.settings.blocking, simulated=simulated)
            values = {each.value for each in decisions}
            decisions += [
                each
                for each in judge_clients(session, context, policy)
                if switches.enforces(each.scenario) is not simulated and each.value not in values
            ]
    return decisions


def _hold_back(session: Session, context: JobContext, new: Sequence[NewDecision]) -> Plan:
    """Blocks within the caps; whom nobody is kept out by needs no cap."""
    enforced = [each for each in new if not each.simulated]
    simulated = [each for each in new if each.simulated]
    if not enforced:
        return Plan(tuple(simulated), ())
    caps = Caps.read(session, context.now, context.settings.blocking)
    blocks, proposals = caps.part(session, enforced)
    return Plan((*blocks, *simulated), tuple(proposals))

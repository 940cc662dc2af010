"""What a run of ``decide`` decides: blocks, and proposals where a limit holds it back."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from jobs.blocking.caps import CappedBlock, Caps
from jobs.blocking.judging import judge_by_switches
from jobs.blocking.network_blocks import block_networks, is_within
from jobs.context import JobContext
from store.decisions.clients.chances import read_chances
from store.decisions.clients.client_history import StoredHistory
from store.decisions.decisions import NewDecision
from store.decisions.networks import read_network
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

    def beyond(self, other: "Plan") -> "Plan":
        """What another plan does not decide about the same values."""
        values = {each.value for each in other.enforced}
        proposed = {each.block.value for each in other.proposals}
        return Plan(
            tuple(each for each in self.enforced if each.value not in values),
            tuple(each for each in self.proposals if each.block.value not in proposed),
        )

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
    blocking = context.settings.blocking
    return hold_back(named, waiting, lambda: Caps.read(session, context.now, blocking))


def _name_family(session: Session, block: NewDecision) -> str | None:
    """The family of the requests that led to a block."""
    request_ids = block.evidence.get("request_ids")
    if not isinstance(request_ids, list):
        return None
    family = find_common_family(session, request_ids)
    return None if family is None else str(family)


def _judge(session: Session, context: JobContext, switches: Switches) -> list[NewDecision]:
    settings = context.settings
    chances = read_chances(session, settings.outliers.outlier_p_value)
    history = StoredHistory(session, context.now, chances)
    trusted = settings.proxies.trusted_proxies
    return judge_by_switches(history, settings.blocking, switches, trusted)


def hold_back(
    new: Sequence[NewDecision], waiting: Collection[str], read_caps: Callable[[], Caps]
) -> Plan:
    """Blocks within the caps; whom nobody is kept out by needs no cap.

    A client is not proposed beside its network.
    """
    enforced = [each for each in new if not each.simulated]
    simulated = [each for each in new if each.simulated]
    if not enforced:
        return Plan(tuple(simulated), ())
    blocks, proposals = read_caps().part(enforced)
    proposed = {*waiting, *(each.block.value for each in proposals)}
    networks = [each for each in proposed if read_network(each) is not None]
    alone = (each for each in proposals if not is_within(each.block, networks))
    return Plan((*blocks, *simulated), tuple(alone))

"""Several blocked clients of one network become one block of it, if they are most of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from jobs.blocking.policy import block_minutes
from jobs.context import JobContext
from jobs.settings import BlockingGroup
from store.configuration.network_groups import Network
from store.decisions.clients.client_decisions import earlier_blocks
from store.decisions.decisions import BY_POLICY, NewDecision
from store.decisions.impact import active_clients
from store.decisions.network_decisions import (
    BlockedClient,
    is_network_decided,
    last_network_change,
    list_blocked_clients,
)
from store.decisions.networks import WIDEST, lies_within, narrowest_around, read_network
from store.decisions.protected import is_network_protected
from store.decisions.scenarios import ATTACKING_NETWORK, Switches
from store.decisions.scopes import Kind, Scope
from store.phrases import phrase_count, phrase_share
from store.requests.client_names import addresses_of, surround


@dataclass(frozen=True)
class _Crowd:
    """Blocked clients of one network, and all clients that it had in a day."""

    network: Network
    blocked: Sequence[BlockedClient]
    active: int

    @property
    def share(self) -> float:
        return len(self.blocked) / max(self.active, len(self.blocked))


def block_networks(
    session: Session, context: JobContext, switches: Switches, new: Sequence[NewDecision]
) -> list[NewDecision]:
    """The same blocks, and one of each network of which most clients are blocked.

    Networks come first where they are enforced: the caps say whether one of them stands in the
    place of its clients (:func:`is_within`).
    """
    simulated = not switches.enforces(ATTACKING_NETWORK)
    crowds = _find_crowds(session, context, new, simulated=simulated)
    blocks = [_block(session, crowd, context, simulated=simulated) for crowd in crowds]
    return [*new, *blocks] if simulated else [*blocks, *new]


def is_within(block: NewDecision, networks: Iterable[str]) -> bool:
    """Whether an enforced block is about a client in one of some networks."""
    if block.simulated or block.scope is not Scope.CLIENT:
        return False
    own = addresses_of(block.value) or read_network(block.value)
    wide = (read_network(each) for each in networks)
    return own is not None and any(lies_within(own, each) for each in wide if each is not None)


def _find_crowds(
    session: Session, context: JobContext, new: Sequence[NewDecision], *, simulated: bool
) -> list[_Crowd]:
    settings, now = context.settings.blocking, context.now
    by_network = _sort(_list_blocked(session, now, new))
    many = [each for each in by_network if len(each) >= settings.network_min_clients]
    active = active_clients(session, now) if many else set()
    crowds = (_crowd_of(session, clients, active, simulated=simulated) for clients in many)
    return [
        crowd
        for crowd in crowds
        if crowd is not None and _is_to_block(session, crowd, context, simulated=simulated)
    ]


def _list_blocked(
    session: Session, now: datetime, new: Iterable[NewDecision]
) -> list[BlockedClient]:
    """Clients with an address that are blocked, or are about to be."""
    about_to_be = [
        BlockedClient(each.value, now, tuple(map(str, each.evidence.get("request_ids", ()))))  # type: ignore[call-overload]
        for each in new
        if each.scope is Scope.CLIENT
    ]
    clients = {each.client: each for each in (*list_blocked_clients(session, now), *about_to_be)}
    return list(clients.values())


def _sort(clients: Iterable[BlockedClient]) -> list[list[BlockedClient]]:
    """By the widest network that may be blocked."""
    by_network: dict[Network, list[BlockedClient]] = {}
    for each in clients:
        own = addresses_of(each.client)
        if own is not None:
            wide = surround(own.network_address, WIDEST[own.version])
            by_network.setdefault(wide, []).append(each)
    return list(by_network.values())


def _crowd_of(
    session: Session, clients: Sequence[BlockedClient], active: set[str], *, simulated: bool
) -> _Crowd | None:
    """The narrowest network around them, with its clients of the day.

    What a person took back, or a block of the network dealt with, does not count again.
    """
    wide = narrowest_around(_addresses(clients))
    change = last_network_change(session, wide, simulated_too=simulated)
    left = [each for each in clients if change is None or each.blocked_at > change]
    if not left:
        return None
    network = narrowest_around(_addresses(left))
    everybody = [own for name in active if (own := addresses_of(name)) is not None]
    return _Crowd(network, left, sum(lies_within(own, network) for own in everybody))


def _addresses(clients: Iterable[BlockedClient]) -> list[Network]:
    return [own for each in clients if (own := addresses_of(each.client)) is not None]


def _is_to_block(session: Session, crowd: _Crowd, context: JobContext, *, simulated: bool) -> bool:
    settings: BlockingGroup = context.settings.blocking
    trusted = context.settings.proxies.trusted_proxies
    return (
        len(crowd.blocked) >= settings.network_min_clients
        and crowd.share >= settings.network_share
        and not is_network_protected(crowd.network, trusted)
        and not is_network_decided(session, context.now, crowd.network, simulated_too=simulated)
    )


def _block(session: Session, crowd: _Crowd, context: JobContext, *, simulated: bool) -> NewDecision:
    value = str(crowd.network)
    repeats = earlier_blocks(session, value, simulated_too=simulated, scopes=(Scope.NETWORK,))
    minutes = block_minutes(context.settings.blocking.block_minutes, repeats)
    return NewDecision(
        kind=Kind.BLOCK,
        scope=Scope.NETWORK,
        value=value,
        scenario=ATTACKING_NETWORK,
        origin=BY_POLICY,
        reason=f"{phrase_count(len(crowd.blocked), 'blocked client')} of the {crowd.active} that "
        f"the network had in a day, {phrase_share(crowd.share)}.",
        created_by=BY_POLICY,
        until=context.now + timedelta(minutes=minutes),
        simulated=simulated,
        evidence={
            "clients": [each.client for each in crowd.blocked],
            "active_clients": crowd.active,
            "earlier_blocks": repeats,
            "request_ids": [first for each in crowd.blocked for first in each.request_ids[:1]],
        },
    )

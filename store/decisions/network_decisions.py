"""What was decided about networks, and about the clients in them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from store.configuration.network_groups import Network
from store.decisions.decisions import BY_POLICY, is_active
from store.decisions.networks import lies_within, read_network
from store.decisions.scopes import Kind, Scope
from store.tables.work_tables import DecisionRow


@dataclass(frozen=True)
class BlockedClient:
    """A client with a block, since when, and the requests that led to it."""

    client: str
    blocked_at: datetime
    request_ids: tuple[str, ...] = ()


def list_blocked_clients(session: Session, now: datetime) -> list[BlockedClient]:
    """Addresses that a policy blocks now, simulated or not."""
    rows = session.scalars(
        select(DecisionRow).where(
            DecisionRow.scope == Scope.CLIENT.value,
            DecisionRow.kind == Kind.BLOCK.value,
            DecisionRow.origin == BY_POLICY,
            is_active(now),
        )
    )
    return [
        BlockedClient(row.value, row.created_at, tuple(row.evidence.get("request_ids", ())))
        for row in rows
    ]


def is_network_decided(
    session: Session, now: datetime, network: Network, *, simulated_too: bool
) -> bool:
    """Whether a decision holds for the whole of a network, or an allow for a part of it.

    Args:
        simulated_too: whether a simulated decision is enough.
    """
    rows = session.execute(
        select(DecisionRow.kind, DecisionRow.value).where(
            DecisionRow.scope == Scope.NETWORK.value,
            is_active(now),
            true() if simulated_too else ~DecisionRow.simulated,
        )
    )
    for kind, value in rows:
        other = read_network(value)
        if other is None:
            continue
        if lies_within(network, other) or (kind == Kind.ALLOW and lies_within(other, network)):
            return True
    return False


def last_network_change(
    session: Session, network: Network, *, simulated_too: bool
) -> datetime | None:
    """When a network that overlaps with this one was last blocked, or a decision on it revoked.

    Args:
        simulated_too: whether somebody asks for a simulated block: those go on as long as the
            clients are blocked, so that only what was revoked counts.
    """
    rows = session.scalars(select(DecisionRow).where(DecisionRow.scope == Scope.NETWORK.value))
    dealt_with = (
        (row.value, moment)
        for row in rows
        for moment in (row.revoked_at, None if simulated_too else _enforced_at(row))
    )
    moments = [
        moment
        for value, moment in dealt_with
        if moment is not None
        and (other := read_network(value)) is not None
        and (lies_within(other, network) or lies_within(network, other))
    ]
    return max(moments, default=None)


def _enforced_at(row: DecisionRow) -> datetime | None:
    return row.created_at if row.kind == Kind.BLOCK.value and not row.simulated else None

"""What was decided about one client: what holds, what came before, and when it last changed."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from store.decisions.decisions import BY_POLICY, is_active, subject_of
from store.decisions.networks import name_prefixes
from store.decisions.scopes import CLIENT_SCOPES, Kind, Scope
from store.requests.client_names import network_of
from store.tables.work_tables import DecisionRow


def decisions_on_client(
    session: Session, now: datetime, client: str, kind: Kind
) -> list[DecisionRow]:
    """Decisions that hold for a client now, about it alone or a network it is in, newest last."""
    about = or_(*conditions_on_client(client))
    statement = select(DecisionRow).where(about, DecisionRow.kind == kind.value, is_active(now))
    return list(session.scalars(statement.order_by(DecisionRow.id)))


def conditions_on_client(client: str) -> tuple[ColumnElement[bool], ...]:
    """What decisions about a client have in common, by name and by network."""
    scope, value = subject_of(client)
    by_name = and_(DecisionRow.scope == scope.value, DecisionRow.value == value)
    networks = name_prefixes(client)
    if not networks:
        return (by_name,)
    in_network = DecisionRow.value.in_(networks)
    return by_name, and_(DecisionRow.scope == Scope.NETWORK.value, in_network)


def read_blocked_senders(session: Session) -> Callable[[str], bool]:
    """Whether a client was ever blocked, alone or with its network, and nobody revoked it."""
    statement = select(DecisionRow.scope, DecisionRow.value).where(
        DecisionRow.kind == Kind.BLOCK.value,
        DecisionRow.scope.in_((*CLIENT_SCOPES, Scope.NETWORK)),
        DecisionRow.revoked_at.is_(None),
    )
    blocked = {(scope, value) for scope, value in session.execute(statement)}

    @cache
    def is_blocked(client: str) -> bool:
        scope, value = subject_of(client)
        networks = ((Scope.NETWORK.value, name) for name in name_prefixes(client))
        return (scope.value, value) in blocked or any(each in blocked for each in networks)

    return is_blocked


def simulated_blocks(session: Session, now: datetime) -> dict[str, DecisionRow]:
    """The first simulated block of each client, by policy, that nobody has revoked and that lasts.

    Where many share an address, its pictures have one in its place, unless it was enforced since.
    Every other block of these clients is newer.
    """
    later = aliased(DecisionRow)
    was_enforced = exists().where(
        later.scope == Scope.CONTENT.value,
        later.value == DecisionRow.value,
        later.id > DecisionRow.id,
        ~later.simulated,
    )
    statement = (
        select(DecisionRow)
        .where(
            or_(
                DecisionRow.scope.in_(CLIENT_SCOPES),
                and_(DecisionRow.scope == Scope.CONTENT.value, ~was_enforced),
            ),
            DecisionRow.kind == Kind.BLOCK.value,
            DecisionRow.origin == BY_POLICY,
            DecisionRow.simulated,
            is_active(now),
        )
        .order_by(DecisionRow.id.desc())
    )
    return {str(row.evidence.get("client", row.value)): row for row in session.scalars(statement)}


def earlier_blocks(
    session: Session,
    value: str,
    *,
    simulated_too: bool,
    scopes: Sequence[Scope] = CLIENT_SCOPES,
) -> int:
    """How many blocks a value ever had that nobody revoked: durations escalate on repeat."""
    statement = select(func.count()).where(
        DecisionRow.scope.in_(scopes),
        DecisionRow.value == network_of(value),
        DecisionRow.kind == Kind.BLOCK.value,
        DecisionRow.revoked_at.is_(None),
        true() if simulated_too else ~DecisionRow.simulated,
    )
    return session.scalar(statement) or 0


def last_change(session: Session, client: str, *, simulated_too: bool) -> datetime | None:
    """When a decision on a client was last made or revoked; what it did before is dealt with.

    One about a network that it is in counts as well.

    Args:
        simulated_too: whether making a simulated decision counts; revoking one always does.
    """
    is_counted = true() if simulated_too else ~DecisionRow.simulated
    made = case((is_counted, DecisionRow.created_at))
    creation, revocation = session.execute(
        select(func.max(made), func.max(DecisionRow.revoked_at)).where(
            or_(*conditions_on_client(client))
        )
    ).one()
    return max((moment for moment in (creation, revocation) if moment is not None), default=None)


def last_revocation(session: Session, client: str) -> datetime | None:
    """When a person last took back a decision on a client."""
    return session.scalar(
        select(func.max(DecisionRow.revoked_at)).where(or_(*conditions_on_client(client)))
    )

"""Decisions and proposals of a time that is over: for the back-test."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from store.decisions.client_decisions import conditions_on_client
from store.decisions.decisions import BY_POLICY, CLIENT_SCOPES, Kind, Scope
from store.decisions.networks import network_of
from store.decisions.proposals import Answer
from store.tables.work_tables import DecisionRow, ProposalRow

_IS_BLOCK = DecisionRow.kind == Kind.BLOCK.value
_IS_BY_POLICY = DecisionRow.origin == BY_POLICY


def decisions_about_client(session: Session, client: str, until: datetime) -> Sequence[DecisionRow]:
    """All decisions about a client, or a network that it is in, that were made before a time."""
    return _list(session, or_(*conditions_on_client(client)), DecisionRow.created_at < until)


def decisions_about_value(
    session: Session, scopes: Sequence[Scope], value: str, until: datetime
) -> Sequence[DecisionRow]:
    """All decisions about a value that were made before a time."""
    return _list(
        session,
        DecisionRow.scope.in_(scopes),
        DecisionRow.value == network_of(value),
        DecisionRow.created_at < until,
    )


def blocks_by_policy(session: Session, since: datetime, until: datetime) -> Sequence[DecisionRow]:
    """Blocks that jobs made from one time to another."""
    created = DecisionRow.created_at
    return _list(session, _IS_BLOCK, _IS_BY_POLICY, created >= since, created < until)


def lasting_blocks(session: Session, moment: datetime) -> Sequence[DecisionRow]:
    """Blocks of clients, their pictures and networks by jobs that lasted at a time."""
    return _list(
        session,
        DecisionRow.scope.in_((*CLIENT_SCOPES, Scope.CONTENT, Scope.NETWORK)),
        _IS_BLOCK,
        _IS_BY_POLICY,
        DecisionRow.created_at < moment,
        DecisionRow.until > moment,
        or_(DecisionRow.revoked_at.is_(None), DecisionRow.revoked_at > moment),
    )


def count_by_people(session: Session, since: datetime, until: datetime) -> int:
    """Decisions that people made or took back from one time to another."""
    made = (~_IS_BY_POLICY, DecisionRow.created_at >= since, DecisionRow.created_at < until)
    revoked = (DecisionRow.revoked_at >= since, DecisionRow.revoked_at < until)
    ids = {row.id for each in (made, revoked) for row in _list(session, *each)}
    return len(ids)


def declined_at(session: Session, client: str) -> Sequence[datetime]:
    """When people declined to block a client."""
    moments = session.scalars(
        select(ProposalRow.answered_at).where(
            ProposalRow.value == network_of(client), ProposalRow.answer == Answer.DECLINED.value
        )
    )
    return [moment for moment in moments if moment is not None]


def proposals_of(session: Session, since: datetime, until: datetime) -> Sequence[ProposalRow]:
    """Proposals that jobs made from one time to another."""
    created = ProposalRow.created_at
    made = select(ProposalRow).where(created >= since, created < until)
    return session.scalars(made.order_by(ProposalRow.id)).all()


def values_proposed(session: Session, moment: datetime) -> frozenset[str]:
    """What proposals that were made before a time and waited for an answer then are about."""
    waiting = select(ProposalRow.value).where(
        ProposalRow.created_at < moment,
        ProposalRow.expires_at > moment,
        or_(ProposalRow.answered_at.is_(None), ProposalRow.answered_at > moment),
    )
    return frozenset(session.scalars(waiting))


def _list(session: Session, *conditions: ColumnElement[bool]) -> Sequence[DecisionRow]:
    return session.scalars(select(DecisionRow).where(*conditions).order_by(DecisionRow.id)).all()

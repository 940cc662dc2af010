"""Decisions and proposals of a time that is over: for the back-test."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from store.decisions.clients.client_decisions import conditions_on_client
from store.decisions.decisions import BY_POLICY
from store.decisions.proposals import Answer
from store.decisions.scopes import CLIENT_SCOPES, Kind, Scope
from store.requests.client_names import network_of
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


def lasting_blocks(
    session: Session, moment: datetime, span: timedelta = timedelta()
) -> Sequence[DecisionRow]:
    """Blocks of clients, their pictures and networks by jobs that lasted at a time.

    Args:
        span: of those that ended before, those made within this time before it are read as well.
    """
    return _list(
        session,
        DecisionRow.scope.in_((*CLIENT_SCOPES, Scope.CONTENT, Scope.NETWORK)),
        _IS_BLOCK,
        _IS_BY_POLICY,
        DecisionRow.created_at < moment,
        or_(DecisionRow.until > moment, DecisionRow.created_at > moment - span),
        or_(DecisionRow.revoked_at.is_(None), DecisionRow.revoked_at > moment),
    )


def networks_by_people(session: Session, since: datetime, until: datetime) -> Sequence[DecisionRow]:
    """Enforced blocks of networks that people made and that lasted between two times."""
    return _list(
        session,
        DecisionRow.scope == Scope.NETWORK.value,
        _IS_BLOCK,
        ~_IS_BY_POLICY,
        ~DecisionRow.simulated,
        DecisionRow.created_at < until,
        DecisionRow.until > since,
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


def proposals_open_at(session: Session, moment: datetime) -> dict[str, datetime]:
    """What proposals that waited for an answer at a time are about, and until when they did."""
    waiting = select(ProposalRow).where(
        ProposalRow.created_at < moment,
        ProposalRow.expires_at > moment,
        or_(ProposalRow.answered_at.is_(None), ProposalRow.answered_at > moment),
    )
    rows = session.scalars(waiting.order_by(ProposalRow.id))
    return {row.value: min(row.expires_at, row.answered_at or row.expires_at) for row in rows}


def _list(session: Session, *conditions: ColumnElement[bool]) -> Sequence[DecisionRow]:
    return session.scalars(select(DecisionRow).where(*conditions).order_by(DecisionRow.id)).all()

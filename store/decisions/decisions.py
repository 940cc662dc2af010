"""Decisions: who is blocked or allowed, until when, and who said so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network

from sqlalchemy import ColumnElement, and_, or_, select, true, update
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from store.audit.actors import analyst, command_line, job
from store.audit.audit_log import Action, Entry, append
from store.audit.reasons import read_reason
from store.configuration.network_groups import Network
from store.decisions.networks import lies_within, read_network
from store.decisions.scopes import CLIENT_SCOPES, Kind, Scope
from store.decisions.similar_pictures import SimilarPicture
from store.engine.change_marks import Mark, move_mark
from store.people.api_keys import CLIENT_PREFIX
from store.requests.client_names import ADDRESS_PREFIX, addresses_of, network_of
from store.tables.work_tables import DecisionRow

BY_POLICY = "policy"
"""Origin and author of what a job decides."""
BY_ANALYST, BY_COMMAND, BY_IMPORT = "analyst", "cli", "import"
"""Origins of what people decide: on the dashboard, on the server, and from another product."""


class DecisionError(MaskwatchError):
    """A decision that cannot be made or changed."""


def subject_of(client: str) -> tuple[Scope, str]:
    """The scope and value of a decision about one client.

    >>> subject_of("ip:2001:db8::7")
    (<Scope.CLIENT: 'client'>, 'ip:2001:db8::/64')
    """
    scope = Scope.API_KEY if client.startswith(CLIENT_PREFIX) else Scope.CLIENT
    return scope, network_of(client)


@dataclass(frozen=True)
class NewDecision:
    """A decision to append.

    Attributes:
        value: the client (``ip:203.0.113.7``, ``key:acme``), the network, the SHA-256 of an exact
            picture, of a patch's pixels or a perturbation's signature, or a perceptual hash with a
            radius (``ab…/10``).
        scenario: the policy that led here, e.g. ``repeated_outliers``.
        origin: ``policy``, ``analyst``, ``cli`` or ``import``.
        created_by: name of the analyst or of the account on the server, or ``policy``.
        simulated: recorded and shown, but not enforced.
        job: which job applied the policy.
        family: the family that it is about, if it is about one.
        model_digest: the outlier model that was promoted, if a job decides.
    """

    kind: Kind
    scope: Scope
    value: str
    scenario: str
    origin: str
    reason: str
    created_by: str
    until: datetime
    simulated: bool = False
    evidence: Mapping[str, object] = field(default_factory=dict)
    job: str = "decide"
    family: str | None = None
    model_digest: str | None = None

    @property
    def subject(self) -> tuple[Scope, str]:
        """The scope and value under which it is kept."""
        is_about_client = self.scope in CLIENT_SCOPES
        return subject_of(self.value) if is_about_client else (self.scope, self.value)

    @property
    def actor(self) -> str:
        """Who decides, as the audit table names it."""
        if self.origin == BY_POLICY:
            return job(self.job)
        is_on_server = self.origin in {BY_COMMAND, BY_IMPORT}
        return command_line(self.created_by) if is_on_server else analyst(self.created_by)


def add_decision(session: Session, new: NewDecision, now: datetime) -> DecisionRow:
    """Append a decision; an ``allow`` revokes every active block of its value, or of a part of it.

    Raises:
        DecisionError: the end time is not in the future.
    """
    if new.until <= now:
        raise DecisionError(
            f"A decision must end in the future: {new.until:%Y-%m-%d %H:%M} UTC is over."
        )
    version = move_mark(session, Mark.DECISIONS)
    scope, value = new.subject
    if new.kind is Kind.ALLOW:
        why = f"Allowed: {new.reason}"
        for block in blocks_within(session, now, scope, value):
            _end(session, block, new.created_by, why, now, version)
            _tell_of_end(session, block, new.actor, why, now)
    row = DecisionRow(
        kind=new.kind.value,
        scope=scope.value,
        value=value,
        scenario=new.scenario,
        origin=new.origin,
        simulated=new.simulated,
        reason=new.reason,
        evidence=dict(new.evidence),
        created_by=new.created_by,
        created_at=now,
        until=new.until,
        family=new.family,
        model_digest=new.model_digest,
        version=version,
    )
    session.add(row)
    session.flush()
    append(session, Entry(new.actor, Action.DECISION_MADE, _subject(row.id), _describe(row)), now)
    return row


def revoke(
    session: Session,
    decision_id: int,
    who: str,
    reason: str,
    now: datetime,
    actor: str | None = None,
) -> DecisionRow:
    """End a decision early.

    Args:
        who: name of the analyst, or of the account on the server.
        actor: as the audit table names them; default: an analyst.

    Raises:
        DecisionError: the decision is not active any more.
        ReasonError: no reason was given, or none that can be kept.
    """
    reason = read_reason(reason)
    version = move_mark(session, Mark.DECISIONS)
    _end(session, decision_id, who, reason, now, version)
    return _tell_of_end(session, decision_id, actor or analyst(who), reason, now)


def replace_decision(
    session: Session, former: Sequence[DecisionRow], new: NewDecision, now: datetime
) -> DecisionRow:
    """Append a decision in the place of former ones on the same value, which end now.

    Nobody took these back, so they are not revoked: what was revoked is judged anew.
    """
    row = add_decision(session, new, now)
    for each in former:
        each.until = now
        details = {"kind": each.kind, "scope": each.scope, "value": each.value, "by": row.id}
        append(session, Entry(new.actor, Action.DECISION_REPLACED, _subject(each.id), details), now)
    return row


def _end(
    session: Session, decision_id: int, who: str, reason: str, now: datetime, version: int
) -> None:
    rows = session.execute(
        update(DecisionRow)
        .where(DecisionRow.id == decision_id, is_active(now))
        .values(revoked_at=now, revoked_by=who, revoked_reason=reason, version=version)
        .returning(DecisionRow.id)
    ).all()
    if len(rows) != 1:
        raise DecisionError(_say_why_over(session, decision_id))


def _say_why_over(session: Session, decision_id: int) -> str:
    """Two people may revoke at once: the second one is told who was first."""
    row = session.get(DecisionRow, decision_id, populate_existing=True)
    if row is None:
        return f"There is no decision {decision_id}."
    start = f"Decision {decision_id} is not active any more"
    if row.revoked_at is None:
        return f"{start}: it ended by itself at {row.until:%Y-%m-%d %H:%M} UTC."
    return (
        f"{start}: {row.revoked_by} revoked it at {row.revoked_at:%Y-%m-%d %H:%M} UTC "
        f"({row.revoked_reason})"
    )


def _tell_of_end(
    session: Session, decision_id: int, actor: str, reason: str, now: datetime
) -> DecisionRow:
    row = session.get_one(DecisionRow, decision_id)
    details = {"kind": row.kind, "scope": row.scope, "value": row.value, "reason": reason}
    append(session, Entry(actor, Action.DECISION_REVOKED, _subject(row.id), details), now)
    return row


def _subject(decision_id: int) -> str:
    return f"decision {decision_id}"


def _describe(row: DecisionRow) -> dict[str, object]:
    return {
        "kind": row.kind,
        "scope": row.scope,
        "value": row.value,
        "scenario": row.scenario,
        "simulated": row.simulated,
        "reason": row.reason,
        "until": row.until.isoformat(),
    }


def active_decisions(
    session: Session, now: datetime, scope: Scope, value: str, kind: Kind
) -> list[DecisionRow]:
    """Decisions on one value that hold now."""
    statement = select(DecisionRow).where(
        DecisionRow.scope == scope.value,
        DecisionRow.value == value,
        DecisionRow.kind == kind.value,
        is_active(now),
    )
    return list(session.scalars(statement))


def was_decided(
    session: Session, now: datetime, scope: Scope, value: str, *, simulated_too: bool
) -> bool:
    """Whether a decision on a value holds, or a person ever took one back.

    Args:
        simulated_too: whether a simulated decision that holds is enough.
    """
    holds = and_(is_active(now), true() if simulated_too else ~DecisionRow.simulated)
    statement = select(DecisionRow.id).where(
        DecisionRow.scope == scope.value,
        DecisionRow.value == value,
        or_(holds, DecisionRow.revoked_at.is_not(None)),
    )
    return session.scalars(statement.limit(1)).first() is not None


def blocks_within(session: Session, now: datetime, scope: Scope, value: str) -> list[int]:
    """Keys of the active blocks that are about a value, or about a part of it.

    A client is a part of a network, and so is a smaller network; a picture is a part of those that
    look like it.
    """
    columns = select(DecisionRow.id, DecisionRow.value).where(
        DecisionRow.kind == Kind.BLOCK.value, is_active(now)
    )
    of_scope = columns.where(DecisionRow.scope == scope.value)
    if scope is Scope.SIMILAR:
        hashes = SimilarPicture.read(value)
        rows = session.execute(of_scope)
        return [row.id for row in rows if hashes.covers(SimilarPicture.read(row.value))]
    if scope is Scope.NETWORK:
        around = ip_network(value)
        scopes = (Scope.CLIENT, Scope.NETWORK)
        rows = session.execute(columns.where(DecisionRow.scope.in_(scopes)))
        return [row.id for row in rows if lies_in(row.value, around)]
    return list(session.scalars(of_scope.where(DecisionRow.value == value)))


def lies_in(value: str, around: Network) -> bool:
    """Whether a client or a network, as decisions write it, is a part of a network."""
    part = addresses_of(value) if value.startswith(ADDRESS_PREFIX) else read_network(value)
    return part is not None and lies_within(part, around)


def is_active(now: datetime) -> ColumnElement[bool]:
    """Whether a decision holds at a time: it has neither ended nor been revoked."""
    return and_(DecisionRow.until > now, DecisionRow.revoked_at.is_(None))

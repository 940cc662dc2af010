"""What stood about clients and pictures at a time: what people decided, and what the trial decides.

Taken as it was: all that was decided before the trial begins, and what people decided since. What
jobs decided since is what the trial stands in for; where a person took such a decision back, what
the client did until then is dealt with in the trial too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from store.decisions.decisions import BY_POLICY, NewDecision
from store.decisions.impact import DAY, lies_within_any
from store.decisions.networks import read_network
from store.decisions.past.past_clients import Span
from store.decisions.past.past_decisions import (
    decisions_about_client,
    decisions_about_value,
    declined_at,
    lasting_blocks,
    networks_by_people,
    proposals_open_at,
)
from store.decisions.proposals import OPEN_FOR
from store.decisions.scopes import Kind, Scope
from store.requests.client_names import network_of
from store.tables.work_tables import DecisionRow


def client_of(value: str, evidence: Mapping[str, object]) -> str:
    """The client that a decision is about; of a picture, who sent it."""
    return str(evidence.get("client", value))


@dataclass(frozen=True)
class Standing:
    """A decision, with the times between which it holds.

    Attributes:
        client: whom it is about; of a picture, who sent it.
        ends: when it ends by itself or is taken back; ``revoked_at``: when it is taken back.
    """

    kind: Kind
    scope: Scope
    value: str
    client: str
    simulated: bool
    begins: datetime
    ends: datetime
    revoked_at: datetime | None = None

    @classmethod
    def of_row(cls, row: DecisionRow) -> "Standing":
        """That of a stored one."""
        ends = row.until if row.revoked_at is None else min(row.until, row.revoked_at)
        kind, scope = Kind(row.kind), Scope(row.scope)
        return cls(
            kind,
            scope,
            row.value,
            client_of(row.value, row.evidence),
            row.simulated,
            row.created_at,
            ends,
            row.revoked_at,
        )

    @classmethod
    def of_new(cls, new: NewDecision, now: datetime, revoked_at: datetime | None) -> "Standing":
        """That of one that the trial makes, and that a person takes back at a time."""
        ends = new.until if revoked_at is None else min(new.until, revoked_at)
        return cls(
            new.kind,
            new.scope,
            new.value,
            client_of(new.value, new.evidence),
            new.simulated,
            now,
            ends,
            revoked_at,
        )

    def holds(self, now: datetime) -> bool:
        """Whether it holds at a time."""
        return self.begins <= now < self.ends

    def is_revoked(self, now: datetime) -> bool:
        """Whether it was taken back before a time."""
        return self.revoked_at is not None and self.revoked_at <= now


@dataclass(eq=False)
class PastLedger:
    """See the module.

    Attributes:
        session: of the chunk that is gone through.
        since: when the trial begins to decide; ``until``: when it ends.
    """

    session: Session
    since: datetime
    until: datetime
    own: dict[str, list[Standing]] = field(default_factory=dict)
    proposed: dict[str, datetime] = field(default_factory=dict)
    _about: dict[str, tuple[Sequence[Standing], Sequence[datetime]]] = field(default_factory=dict)
    _declined: dict[str, Sequence[datetime]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read what stood when the trial begins."""
        self.proposed |= proposals_open_at(self.session, self.since)
        rows = lasting_blocks(self.session, self.since, DAY)
        self._lately: list[Standing] = [Standing.of_row(row) for row in rows]
        by_people = networks_by_people(self.session, self.since, self.until)
        self._by_people = [Standing.of_row(row) for row in by_people]

    def add(self, block: NewDecision, now: datetime) -> None:
        """Let a block of the trial hold from now on."""
        taken, revocations = self._read(block.scope, block.value)
        allows = (each.begins for each in taken if each.kind is Kind.ALLOW)
        revoked_at = min((at for at in (*revocations, *allows) if at > now), default=None)
        standing = Standing.of_new(block, now, revoked_at)
        self.own.setdefault(block.value, []).append(standing)
        self._lately.append(standing)

    def forget(self, now: datetime) -> None:
        """Leave out of what is looked through at every step what ended a day ago."""
        self._lately = [each for each in self._lately if max(each.ends, each.begins + DAY) > now]

    def propose(self, value: str, now: datetime) -> None:
        """Let a proposal of the trial wait; nobody answers it."""
        self.proposed[value] = now + OPEN_FOR

    def list_waiting(self, now: datetime) -> frozenset[str]:
        """What the proposals that wait are about."""
        return frozenset(value for value, expires in self.proposed.items() if expires > now)

    def list_about(self, client: str, now: datetime) -> Iterator[Standing]:
        """All that was decided about a client until a time."""
        taken, _ = self._read(Scope.CLIENT, client)
        for each in (*taken, *self.own.get(network_of(client), ())):
            if each.begins <= now:
                yield each

    def list_about_picture(self, digest: str, now: datetime) -> Iterator[Standing]:
        """The same about an exact picture."""
        taken, _ = self._read(Scope.CONTENT, digest)
        for each in (*taken, *self.own.get(digest, ())):
            if each.begins <= now:
                yield each

    def list_revocations(self, client: str, now: datetime) -> Iterator[datetime]:
        """When people took decisions on a client back, until a time."""
        taken, others = self._read(Scope.CLIENT, client)
        own = [each.revoked_at for each in taken if each.revoked_at is not None]
        yield from (at for at in (*own, *others) if at <= now)

    def list_declined(self, client: str, now: datetime) -> list[datetime]:
        """When people declined to block a client, until a time."""
        if client not in self._declined:
            self._declined[client] = declined_at(self.session, client)
        return [at for at in self._declined[client] if at <= now]

    def list_simulated(self, now: datetime) -> Mapping[str, datetime]:
        """When each client got its first simulated block, by policy, that still lasts.

        See :func:`store.decisions.clients.client_decisions.simulated_blocks`.
        """
        first: dict[str, datetime] = {}
        for each in self._lately:
            is_of_client = each.simulated and each.scope is not Scope.NETWORK and each.holds(now)
            if is_of_client and not self._was_enforced(each, now):
                first[each.client] = min(each.begins, first.get(each.client, each.begins))
        return first

    def list_enforced(self, now: datetime) -> set[str]:
        """Clients and networks that jobs blocked within a day, or that their blocks hold for.

        See :func:`store.decisions.impact.values_hit_by_policy`.
        """
        by_people = [read_network(each.value) for each in self._by_people if each.holds(now)]
        networks = [each for each in by_people if each is not None]
        return {
            each.value
            for each in self._lately
            if not each.simulated and not each.is_revoked(now) and each.scope is not Scope.CONTENT
            if each.ends > now or each.begins > now - DAY
            if not lies_within_any(each.value, networks)
        }

    def find_block(self, client: str, content_sha256: str | None, now: datetime) -> Standing | None:
        """A block of the trial that holds for a request, an enforced one first."""
        if not self.own:
            return None
        blocks = [*self.own.get(network_of(client), ()), *self.own.get(content_sha256 or "", ())]
        holding = [each for each in blocks if each.holds(now)]
        return min(holding, key=lambda each: each.simulated, default=None)

    def list_refusals(self, client: str) -> list[Span]:
        """From when to when the trial keeps a client out."""
        blocks = self.own.get(network_of(client), ())
        return [(each.begins, each.ends) for each in blocks if not each.simulated]

    def _was_enforced(self, block: Standing, now: datetime) -> bool:
        """Whether the block of a picture was enforced since it was simulated."""
        return block.scope is Scope.CONTENT and any(
            not each.simulated and each.begins > block.begins
            for each in self.list_about_picture(block.value, now)
        )

    def _read(self, scope: Scope, value: str) -> tuple[Sequence[Standing], Sequence[datetime]]:
        """What is taken as it was about a value, and when people took back what jobs decided."""
        if value not in self._about:
            rows: Sequence[Any] = (
                decisions_about_value(self.session, (scope,), value, self.until)
                if scope is Scope.CONTENT
                else decisions_about_client(self.session, value, self.until)
            )
            is_taken = [row.origin != BY_POLICY or row.created_at < self.since for row in rows]
            pairs = list(zip(rows, is_taken, strict=True))
            self._about[value] = (
                [Standing.of_row(row) for row, taken in pairs if taken],
                [row.revoked_at for row, taken in pairs if not taken and row.revoked_at],
            )
        return self._about[value]

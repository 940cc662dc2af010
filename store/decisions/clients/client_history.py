"""What the block policy and the alerts ask about clients: of the store as it stands, or replayed.

Who judges clients is given one of these: the jobs the store's, the back-test one that it goes
through the past with. Both are judged by the same functions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from detectors.evidence.kinds import EvidenceKind
from store.decisions.clients import client_decisions as decisions
from store.decisions.clients.client_decisions import decisions_on_client
from store.decisions.clients.client_evidence import Suspect, judge_client
from store.decisions.clients.suspects import find_suspects
from store.decisions.decisions import was_decided
from store.decisions.proposals import last_declined
from store.decisions.scopes import CLIENT_SCOPES, Kind, Scope
from store.requests.pictures_of_requests import pictures_of


class ClientHistory(Protocol):
    """What clients did and what was decided about them, until one moment."""

    @property
    def now(self) -> datetime:
        """That moment, UTC."""
        ...

    def find_suspects(self, since: datetime, min_weight: float) -> Sequence[Suspect]:
        """Clients whose evidence after a time weighs so much, the worst first."""
        ...

    def judge(self, client: str, since: datetime) -> Suspect:
        """What a client did after a time, and what it weighs."""
        ...

    def list_simulated(self) -> Mapping[str, datetime]:
        """When each client got its first simulated block, by policy, that still lasts."""
        ...

    def is_covered(self, client: str, *, simulated_too: bool) -> bool:
        """Whether a decision about a client holds, or an enforced one."""
        ...

    def is_allowed(self, client: str) -> bool:
        """Whether a client is on the allow-list."""
        ...

    def earlier_blocks(
        self, value: str, *, simulated_too: bool, scopes: Sequence[Scope] = CLIENT_SCOPES
    ) -> int:
        """How many blocks a value ever had that nobody revoked."""
        ...

    def last_change(self, client: str, *, simulated_too: bool) -> datetime | None:
        """When a decision on a client was last made or revoked."""
        ...

    def last_revocation(self, client: str) -> datetime | None:
        """When a person last took back a decision on a client."""
        ...

    def last_declined(self, client: str) -> datetime | None:
        """When a person last declined to block a client."""
        ...

    def pictures_of(self, request_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Requests by the SHA-256 of what they sent."""
        ...

    def is_picture_decided(self, digest: str, *, simulated_too: bool) -> bool:
        """Whether a decision on an exact picture holds, or a person ever took one back."""
        ...


@dataclass(frozen=True, eq=False)
class StoredHistory:
    """That of the store, until now. See :class:`ClientHistory`.

    Attributes:
        chances: of kinds of evidence, where their table does not know them.
    """

    session: Session
    now: datetime
    chances: Mapping[EvidenceKind, float]

    def find_suspects(self, since: datetime, min_weight: float) -> Sequence[Suspect]:
        """See :func:`store.decisions.clients.client_evidence.find_suspects`."""
        return find_suspects(self.session, since, min_weight, self.chances)

    def judge(self, client: str, since: datetime) -> Suspect:
        """See :func:`store.decisions.clients.client_evidence.judge_client`."""
        return judge_client(self.session, client, since, self.chances)

    def list_simulated(self) -> Mapping[str, datetime]:
        """See :func:`store.decisions.clients.client_decisions.simulated_blocks`."""
        blocks = decisions.simulated_blocks(self.session, self.now)
        return {client: block.created_at for client, block in blocks.items()}

    def is_covered(self, client: str, *, simulated_too: bool) -> bool:
        """By a block or by an allowance."""
        active = (
            each
            for kind in Kind
            for each in decisions_on_client(self.session, self.now, client, kind)
        )
        return any(simulated_too or not each.simulated for each in active)

    def is_allowed(self, client: str) -> bool:
        """Whether it is on the allow-list."""
        return bool(decisions_on_client(self.session, self.now, client, Kind.ALLOW))

    def earlier_blocks(
        self, value: str, *, simulated_too: bool, scopes: Sequence[Scope] = CLIENT_SCOPES
    ) -> int:
        """See :func:`store.decisions.clients.client_decisions.earlier_blocks`."""
        return decisions.earlier_blocks(
            self.session, value, simulated_too=simulated_too, scopes=scopes
        )

    def last_change(self, client: str, *, simulated_too: bool) -> datetime | None:
        """See :func:`store.decisions.clients.client_decisions.last_change`."""
        return decisions.last_change(self.session, client, simulated_too=simulated_too)

    def last_revocation(self, client: str) -> datetime | None:
        """See :func:`store.decisions.clients.client_decisions.last_revocation`."""
        return decisions.last_revocation(self.session, client)

    def last_declined(self, client: str) -> datetime | None:
        """See :func:`store.decisions.proposals.last_declined`."""
        return last_declined(self.session, client)

    def pictures_of(self, request_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """See :func:`store.requests.pictures_of_requests.pictures_of`."""
        return pictures_of(self.session, request_ids)

    def is_picture_decided(self, digest: str, *, simulated_too: bool) -> bool:
        """See :func:`store.decisions.decisions.was_decided`."""
        return was_decided(
            self.session, self.now, Scope.CONTENT, digest, simulated_too=simulated_too
        )

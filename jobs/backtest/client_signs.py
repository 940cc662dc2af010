"""What weighs against one client, of the time that a policy looks back on."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from detectors.evidence.kinds import EvidenceKind
from store.decisions.clients.client_evidence import MAX_ROWS, ClientEvidence, Sign, sum_up

_INSTANT = timedelta(microseconds=1)


@dataclass(eq=False)
class ClientSigns:
    """The signs against a client, in the order in which its requests were stored."""

    signs: deque[tuple[datetime, Sign]] = field(default_factory=lambda: deque(maxlen=MAX_ROWS))
    mistakes: dict[str, datetime] = field(default_factory=dict)
    floods: deque[tuple[datetime, int]] = field(default_factory=deque)

    @property
    def cut_at(self) -> datetime | None:
        """Before when there may have been more signs than are held; ``None`` while all are."""
        return self.signs[0][0] - _INSTANT if len(self.signs) == MAX_ROWS else None

    def forget(self, until: datetime) -> bool:
        """Forget what was received until a time; whether anything is left."""
        while self.signs and self.signs[0][0] <= until:
            self.signs.popleft()
        while self.floods and self.floods[0][0] < until:
            self.floods.popleft()
        self.mistakes = {code: at for code, at in self.mistakes.items() if at > until}
        return bool(self.signs or self.floods or self.mistakes)

    def sum_up(self, client: str, since: datetime, uploads: int) -> ClientEvidence:
        """What the signs after a time say, of so many uploads."""
        signs = [sign for at, sign in reversed(self.signs) if at > since]
        # All that is compared is of one span; floods alone are counted, not read.
        begins = since if self.cut_at is None else max(since, self.cut_at)
        mistakes = [code for code, at in self.mistakes.items() if at > begins]
        floods = sum(requests for minute, requests in self.floods if minute >= since)
        return sum_up(client, signs, mistakes, floods, uploads)

    def bound_weight(self, weights: Mapping[EvidenceKind, float]) -> float:
        """No less than what all of it weighs, and cheap to say."""
        floods = sum(requests for _, requests in self.floods) * weights[EvidenceKind.FLOOD]
        return (len(self.signs) + len(self.mistakes)) * max(weights.values()) + floods

"""What was and what would have been, counted by day and by client."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from store.counts.period_counts import OTHERS

MAX_CLIENTS = 10_000
"""Clients that are told apart; of more, all others are counted together."""


class Count(StrEnum):
    """What is counted."""

    REQUESTS = "requests"
    FLAGGED = "flagged"
    """Requests with the verdict ``flag`` or ``refuse`` after they were parsed."""
    OUTLIERS = "outliers"
    BLOCKS = "blocks"
    PROPOSALS = "proposals"
    MAILS = "mails"
    """Alerts about attacking clients that fired: each is one mail to every receiver."""
    REFUSED = "would_be_refused"
    """Requests that came while an enforced block of the trial held."""
    WATCHED = "would_be_watched"
    """Requests that came while only a simulated block of the trial held."""


COMPARED = (Count.FLAGGED, Count.OUTLIERS, Count.BLOCKS, Count.PROPOSALS, Count.MAILS)


class Side(StrEnum):
    """Which world a count is of; of two that are compared, what only one has."""

    WAS = "was"
    WOULD = "would"
    NEW = "new"
    GONE = "gone"


Key = tuple[Count, Side]
Counts = Counter[Key]


@dataclass(eq=False)
class Tallies:
    """Counts by day and by client. Of clients, only those that something differs or holds for."""

    total: Counts = field(default_factory=Counter)
    days: dict[date, Counts] = field(default_factory=dict)
    clients: dict[str, Counts] = field(default_factory=dict)

    def count_request(self, day: date) -> None:
        """Count a request that was recorded."""
        self._add((Count.REQUESTS, Side.WAS), day, None, 1)

    def count_hit(self, day: date, client: str, *, simulated: bool) -> None:
        """Count a request that came while a block of the trial held."""
        self._add((Count.WATCHED if simulated else Count.REFUSED, Side.WOULD), day, client, 1)

    def compare(self, what: Count, day: date, client: str, was: int, would: int) -> None:
        """Count something on both sides, and what only one of them has."""
        numbers = {
            Side.WAS: was,
            Side.WOULD: would,
            Side.NEW: max(0, would - was),
            Side.GONE: max(0, was - would),
        }
        for side, number in numbers.items():
            if number:
                self._add((what, side), day, client, number)

    def compare_all(
        self,
        what: Count,
        was: Mapping[tuple[date, str], int],
        would: Mapping[tuple[date, str], int],
    ) -> None:
        """The same of counts by day and client."""
        for day, client in {**was, **would}:
            key = (day, client)
            self.compare(what, day, client, was.get(key, 0), would.get(key, 0))

    def _add(self, key: Key, day: date, client: str | None, number: int) -> None:
        self.total[key] += number
        self.days.setdefault(day, Counter())[key] += number
        if client is not None:
            self._counts_of(client)[key] += number

    def _counts_of(self, client: str) -> Counts:
        """Those of a client; of very many, of all others together."""
        name = client if client in self.clients or len(self.clients) < MAX_CLIENTS else OTHERS
        return self.clients.setdefault(name, Counter())

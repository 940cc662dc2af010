"""Caps: how many clients, and how much of the traffic, jobs may block without a person."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from jobs.blocking.network_blocks import is_within
from jobs.settings import BlockingGroup
from store.decisions.decisions import NewDecision
from store.decisions.impact import Day, Hit, hit_of, read_day, values_hit_by_policy
from store.decisions.scopes import CLIENT_SCOPES, Scope
from store.phrases import phrase_count, phrase_share

_CAPPED = (*CLIENT_SCOPES, Scope.NETWORK)


@dataclass(frozen=True)
class CappedBlock:
    """A block that goes beyond a cap, with the sentence that says so."""

    block: NewDecision
    limit_reached: str


@dataclass(frozen=True)
class Caps:
    """What automatic blocks may hit of a day.

    Attributes:
        max_clients: clients, those that are hit already among them.
        max_requests: accepted requests of these.
        hit: what automatic blocks of the day hit already.
        hit_by: whom a block of a client or a network would hit.
    """

    max_clients: int
    max_requests: int
    day: Day
    hit: Hit
    hit_by: Callable[[str], Hit]

    @classmethod
    def read(cls, session: Session, now: datetime, settings: BlockingGroup) -> "Caps":
        """The caps of the settings on the last 24 hours."""
        hit = hit_of(session, now, values_hit_by_policy(session, now))
        day = read_day(session, now)
        return cls.of(settings, day, hit, lambda value: hit_of(session, now, (value,)))

    @classmethod
    def of(
        cls, settings: BlockingGroup, day: Day, hit: Hit, hit_by: Callable[[str], Hit]
    ) -> "Caps":
        """The caps of the settings on a day."""
        clients = max(settings.cap_min_clients, int(settings.cap_client_share * day.clients))
        requests = max(settings.cap_min_requests, int(settings.cap_traffic_share * day.accepted))
        return cls(clients, requests, day, hit, hit_by)

    def part(self, blocks: Iterable[NewDecision]) -> tuple[list[NewDecision], list[CappedBlock]]:
        """Blocks that keep within the caps together, in their order, and those that do not.

        A client needs no block beside one of its network that comes before it.
        """
        hit, kept, capped = self.hit, list[NewDecision](), list[CappedBlock]()
        for block in blocks:
            networks = (each.value for each in kept if each.scope is Scope.NETWORK)
            if is_within(block, networks):
                continue
            more = hit
            if block.scope in _CAPPED:
                more = hit | self.hit_by(block.value)
            why = self._say_beyond(more) if more is not hit else None
            if why is None:
                hit = more
                kept.append(block)
            else:
                capped.append(CappedBlock(block, why))
        return kept, capped

    def _say_beyond(self, hit: Hit) -> str | None:
        if hit.clients > self.max_clients:
            return (
                f"Automatic blocks would hit {phrase_count(hit.clients, 'client')} of the "
                f"{self.day.clients} of a day; the limit is {self.max_clients}."
            )
        if hit.requests > self.max_requests:
            share = hit.requests / max(1, self.day.accepted)
            return (
                f"Automatic blocks would hit {phrase_share(share)} of the accepted requests of a "
                f"day, {hit.requests} of {self.day.accepted}; the limit is {self.max_requests}."
            )
        return None

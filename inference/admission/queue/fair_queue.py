"""Whose turn it is: turns go round by client."""

from collections import Counter, OrderedDict
from collections.abc import Hashable
from math import ceil
from typing import Generic, TypeVar

Ticket = TypeVar("Ticket", bound=Hashable)


class FairQueue(Generic[Ticket]):
    """Hands a fixed number of turns to clients that wait, round and round.

    Each upload has a ticket. Tickets of one client are called in the order in which they came.
    Clients stand in a ring: whoever is called, and whoever ends a turn, goes behind those that wait
    at that moment. No client holds more than half of the turns, rounded up, while another waits;
    alone it may hold all of them.

    So each other client is called at most once before a client that waits and holds no turn. Each
    step costs the same however many wait. Knows no clock and no thread.
    """

    def __init__(self, turns: int) -> None:
        self._turns = turns
        self._client_of: dict[Ticket, str] = {}
        self._queues: OrderedDict[str, OrderedDict[Ticket, None]] = OrderedDict()
        self._turns_of: Counter[str] = Counter()

    def join(self, client: str, ticket: Ticket) -> None:
        """Let a new ticket of a client wait."""
        self._client_of[ticket] = client
        self._queues.setdefault(client, OrderedDict())[ticket] = None

    def call(self) -> Ticket | None:
        """Give a free turn away: the ticket that has it now, ``None`` if no turn or nobody is."""
        if not self._queues or self._turns_of.total() >= self._turns:
            return None
        client = self._next_client()
        ticket = next(iter(self._queues[client]))
        self._stop_waiting(client, ticket)
        self._turns_of[client] += 1
        self._go_behind(client)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Forget a ticket, called or not; one that was called gives its turn back.

        Raises:
            KeyError: it is not here, or has left before.
        """
        client = self._client_of.pop(ticket)
        if ticket in self._queues.get(client, ()):
            self._stop_waiting(client, ticket)
            return
        self._turns_of[client] -= 1
        if not self._turns_of[client]:
            del self._turns_of[client]
        self._go_behind(client)

    def is_quiet(self) -> bool:
        """Whether nobody waits and a turn is free; of a single turn none is, whoever has it."""
        return not self._queues and (self._turns == 1 or self._turns_of.total() < self._turns)

    def _next_client(self) -> str:
        """The first that holds less than half; two that hold half leave no turn to give away."""
        half = ceil(self._turns / 2)
        first = next(iter(self._queues))
        return next((client for client in self._queues if self._turns_of[client] < half), first)

    def _stop_waiting(self, client: str, ticket: Ticket) -> None:
        del self._queues[client][ticket]
        if not self._queues[client]:
            del self._queues[client]

    def _go_behind(self, client: str) -> None:
        if client in self._queues:
            self._queues.move_to_end(client)

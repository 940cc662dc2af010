"""Admission: who may send a picture now."""

from asyncio import shield
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic

from inference.admission.access import Access
from inference.admission.queue.queue_patience import Patience
from inference.admission.queue.thread_pools import Args, Result, ThreadPool
from inference.admission.queue.turns import Turn, Turns
from inference.metrics import Metrics
from inference.refusals import BLOCKED, OVERLOADED, TOO_MANY_UPLOADS, Refusal, Refused
from inference.upload import Arrival, Upload
from store.requests.client_names import network_of


class Blacklist:
    """Refuses whom an enforced block holds for."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def check(self, arrival: Arrival, upload: Upload | None) -> Refusal | None:
        """A refusal if a block holds for the sender or, once read, the exact picture."""
        content = upload.sha256 if upload else None
        is_blocked = self._access.current.is_blocked(arrival.received_at, arrival.names, content)
        return BLOCKED if is_blocked else None


@dataclass(frozen=True)
class SlotLimits:
    """How many uploads are in the house, in which part of it, and for how long.

    Attributes:
        working: pictures that are worked on at the same time.
        queue: further uploads, those that are being read and those that wait for their turn.
        min_wait_seconds: how long a whole upload waits for its turn at least.
        max_wait_seconds: and at most, however long turns take.
        per_client: uploads of one client; an IPv6 network is one client here.
    """

    working: int
    queue: int
    min_wait_seconds: float
    max_wait_seconds: float
    per_client: int


class Slots:
    """The house: a bounded number of uploads is inside, and a few of these are worked on.

    An upload enters before its body is read, so that what is in memory is bounded, and gets its
    turn after that, so that a slow sender keeps nobody from working. Places and turns are shared by
    client: nobody has more places than are left for others, and turns go round.
    """

    def __init__(self, limits: SlotLimits, metrics: Metrics) -> None:
        self._limits = limits
        self._inside: Counter[str] = Counter()
        self._turns = Turns(limits.working)
        self._patience = Patience(limits.min_wait_seconds, limits.max_wait_seconds)
        self._threads = ThreadPool("work", limits.working)
        self._metrics = metrics

    @asynccontextmanager
    async def enter(self, client: str) -> AsyncIterator[None]:
        """Be inside.

        Raises:
            Refused: the house is full, or the client has its share of it.
        """
        name = network_of(client)
        self._check_place(name)
        self._count(name, 1)
        try:
            yield
        finally:
            self._count(name, -1)

    async def work(
        self, client: str, function: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs
    ) -> Result:
        """Wait for a turn, then call a function in a thread; waiting takes no thread.

        The turn lasts as long as the call, even if the caller is cancelled.

        Raises:
            Refused: it took too long.
        """
        try:
            turn = await self._turns.wait(network_of(client), self._patience.seconds(monotonic()))
        except TimeoutError:
            raise Refused(OVERLOADED) from None
        self._patience.begin(turn, monotonic())
        call = self._threads.start(function, *args, **kwargs)
        call.add_done_callback(lambda _: self._end(turn))
        return await shield(call)

    def is_quiet(self) -> bool:
        """Whether somebody who came now would not have to wait; may be asked from any thread."""
        return self._turns.is_quiet()

    def _check_place(self, name: str) -> None:
        free = self._limits.working + self._limits.queue - self._inside.total()
        if free <= 0:
            raise Refused(OVERLOADED)
        # By a limit for each alone, a few clients could fill the house and leave nothing.
        if self._inside[name] >= min(self._limits.per_client, free):
            raise Refused(TOO_MANY_UPLOADS)

    def _count(self, name: str, change: int) -> None:
        self._inside[name] += change
        if not self._inside[name]:
            del self._inside[name]
        self._metrics.in_flight.set(self._inside.total())

    def _end(self, turn: Turn) -> None:
        self._patience.end(turn, monotonic())
        self._turns.end(turn)

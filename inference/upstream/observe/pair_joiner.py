"""Joins the two halves of an exchange, which come one by one, in any order, or not at all."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from inference.upload import Arrival
from inference.upstream.observe.origin import Origin
from inference.upstream.requests.headers import Headers

Key = bytes
# What an object is and its attributes take, besides its body.
_OVERHEAD_BYTES = 2_000


class Side(StrEnum):
    """Which half of an exchange it is."""

    REQUEST = "request"
    RESPONSE = "response"


class Fate(StrEnum):
    """What became of a half."""

    JOINED = "joined"
    OUT_OF_ORDER = "out_of_order"
    """Joined, but the response came first."""
    DOUBLED = "doubled"
    LATE = "late"
    LOST = "lost"
    """Its other half did not come in time."""
    CROWDED_OUT = "crowded_out"
    """Its other half did not come before newer ones needed the memory."""


@dataclass(frozen=True)
class Half:
    """A request or a response.

    Attributes:
        key: a hash, the same for both halves of an exchange and for no others.
        arrival: who sent the request, as far as it is known, and when this half came in.
        origin: which service it is of.
        headers: of its body, as far as they say how to read it.
    """

    side: Side
    key: Key
    arrival: Arrival
    origin: Origin
    headers: Headers
    body: bytes

    @property
    def size_bytes(self) -> int:
        """Memory that it takes."""
        return len(self.body) + _OVERHEAD_BYTES


@dataclass(frozen=True)
class Exchange:
    """A request, and the response to it if there was one."""

    request: Half
    response: Half | None = None

    @property
    def size_bytes(self) -> int:
        """Memory that it takes."""
        return self.request.size_bytes + (self.response.size_bytes if self.response else 0)


class PairJoiner:
    """Keeps halves until the other one comes, for a time and within a number of bytes.

    No request is left out, whoever chose its key: the client can. One whose key was there before is
    an exchange of its own without a response, and so is one whose response did not come or had been
    given up. Nothing can be said of a response without its request, so those are only counted.

    Used by one thread at a time. Times are monotonic, in seconds.
    """

    def __init__(
        self,
        window_seconds: float,
        max_bytes: int,
        count: Callable[[Side, Fate], None],
        max_keys: int = 20_000,
    ) -> None:
        self._window_seconds, self._max_bytes = window_seconds, max_bytes
        self._count = count
        self._waiting: OrderedDict[Key, tuple[float, Half]] = OrderedDict()
        self._waiting_bytes = 0
        # Keys of exchanges that are over, to tell late halves and doubled ones from new ones.
        self._ended: OrderedDict[Key, tuple[float, bool]] = OrderedDict()
        self._max_keys = max_keys

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def size_bytes(self) -> int:
        """Bytes of all halves that wait."""
        return self._waiting_bytes

    def add(self, half: Half, now: float) -> list[Exchange]:
        """Take a half in; the exchanges that are complete by it, or given up because of it."""
        over = list(self._end_old(now))
        if half.key in self._ended:
            return over + self._end_alone(half, self._fate_of_stray(half))
        if half.size_bytes > self._max_bytes:
            return over + self._end_alone(half, Fate.CROWDED_OUT)
        _, other = self._waiting.get(half.key, (now, None))
        if other is None:
            over += self._make_room(half, now)
            self._keep(half, now)
        elif other.side is half.side:
            over += self._end_alone(half, Fate.DOUBLED)
        else:
            over.append(self._join(half, self._drop(half.key, now, is_joined=True)))
        return over

    def end_old(self, now: float) -> list[Exchange]:
        """The exchanges whose other half does not come any more."""
        return list(self._end_old(now))

    def end_all(self, now: float) -> list[Exchange]:
        """Give up everything that waits."""
        keys = list(self._waiting)
        return [each for key in keys for each in self._give_up(key, now, Fate.LOST)]

    def _end_old(self, now: float) -> Iterator[Exchange]:
        _forget_old(self._ended, now - self._window_seconds)
        while self._waiting:
            key, (since, _) = next(iter(self._waiting.items()))
            if now - since < self._window_seconds:
                return
            yield from self._give_up(key, now, Fate.LOST)

    def _make_room(self, half: Half, now: float) -> list[Exchange]:
        over: list[Exchange] = []
        while self._waiting and self._waiting_bytes + half.size_bytes > self._max_bytes:
            over += self._give_up(next(iter(self._waiting)), now, Fate.CROWDED_OUT)
        return over

    def _give_up(self, key: Key, now: float, fate: Fate) -> list[Exchange]:
        return self._end_alone(self._drop(key, now, is_joined=False), fate)

    def _end_alone(self, half: Half, fate: Fate) -> list[Exchange]:
        self._count(half.side, fate)
        return [Exchange(half)] if half.side is Side.REQUEST else []

    def _fate_of_stray(self, half: Half) -> Fate:
        _, was_joined = self._ended[half.key]
        return Fate.DOUBLED if was_joined else Fate.LATE

    def _join(self, half: Half, other: Half) -> Exchange:
        is_in_order = half.side is Side.RESPONSE
        for each in (half, other):
            self._count(each.side, Fate.JOINED if is_in_order else Fate.OUT_OF_ORDER)
        return Exchange(other, half) if is_in_order else Exchange(half, other)

    def _keep(self, half: Half, now: float) -> None:
        self._waiting[half.key] = (now, half)
        self._waiting_bytes += half.size_bytes

    def _drop(self, key: Key, now: float, *, is_joined: bool) -> Half:
        _, half = self._waiting.pop(key)
        self._waiting_bytes -= half.size_bytes
        self._ended[key] = (now, is_joined)
        if len(self._ended) > self._max_keys:
            self._ended.popitem(last=False)
        return half


def _forget_old(ended: OrderedDict[Key, tuple[float, bool]], before: float) -> None:
    while ended:
        key, (at, _) = next(iter(ended.items()))
        if at >= before:
            return
        del ended[key]

"""Remembers things by name for some time, within bounds, and gives back what it gives up."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class KeepLimits:
    """How much is remembered, and for how long after it was last asked for.

    Attributes:
        max_bytes: of all things together.
    """

    max_items: int
    max_bytes: int
    max_seconds: float


@dataclass(frozen=True)
class _Entry(Generic[Kept]):
    value: Kept
    size_bytes: int
    used_at: float


class KeptMap(Generic[Kept]):
    """Things by name; the one that nobody asked for the longest is given up first.

    It belongs to one thread.

    >>> kept = KeptMap(KeepLimits(max_items=2, max_bytes=10, max_seconds=60))
    >>> kept.add("a", 1, 6), kept.add("b", 2, 6), kept.find("a"), kept.find("b")
    ([], [1], None, 2)
    """

    def __init__(self, limits: KeepLimits, clock: Callable[[], float] = monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._entries: OrderedDict[str, _Entry[Kept]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, name: str, value: Kept, size_bytes: int) -> list[Kept]:
        """Remember a thing; what is given up for it, also one of the same name, or itself."""
        replaced = self.take(name)
        self._entries[name] = _Entry(value, size_bytes, self._clock())
        self._bytes += size_bytes
        return ([] if replaced is None else [replaced]) + self.expire()

    def find(self, name: str) -> Kept | None:
        """A thing, which is remembered for longer then."""
        entry = self._entries.get(name)
        # One that is too old stays until it is given up, for somebody waits for that.
        if entry is None or self._is_old(entry):
            return None
        self._entries[name] = replace(entry, used_at=self._clock())
        self._entries.move_to_end(name)
        return entry.value

    def take(self, name: str) -> Kept | None:
        """A thing, which is forgotten then."""
        entry = self._entries.pop(name, None)
        if entry is None:
            return None
        self._bytes -= entry.size_bytes
        return entry.value

    def expire(self) -> list[Kept]:
        """Give up what is too old or too much."""
        return self._give_up(lambda: self._is_over() or self._is_old(self._oldest()))

    def clear(self) -> list[Kept]:
        """Give up everything."""
        return self._give_up(lambda: True)

    def _give_up(self, is_due: Callable[[], bool]) -> list[Kept]:
        values = []
        while self._entries and is_due():
            _, entry = self._entries.popitem(last=False)
            self._bytes -= entry.size_bytes
            values.append(entry.value)
        return values

    def _oldest(self) -> _Entry[Kept]:
        return next(iter(self._entries.values()))

    def _is_old(self, entry: _Entry[Kept]) -> bool:
        return self._clock() - entry.used_at > self._limits.max_seconds

    def _is_over(self) -> bool:
        is_many = len(self._entries) > self._limits.max_items
        return is_many or self._bytes > self._limits.max_bytes

"""How many bytes of bodies are in memory together, whoever sends them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from inference.refusals import OVERLOADED, Refused


class BodyMemory:
    """Counts the bytes of the uploads inside. Used in the event loop alone."""

    def __init__(self, max_bytes: int) -> None:
        self._free_bytes = max_bytes

    @contextmanager
    def reserve(self) -> Iterator[Callable[[int], None]]:
        """Take bytes as they come; all are given back at the end.

        Raises:
            Refused: by the function, where there are no more.
        """
        taken = 0

        def take(count: int) -> None:
            nonlocal taken
            if count > self._free_bytes:
                raise Refused(OVERLOADED)
            self._free_bytes -= count
            taken += count

        try:
            yield take
        finally:
            self._free_bytes += taken

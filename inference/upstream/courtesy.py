"""Lets what is done beside the traffic make way for answers that pass just now."""

from collections.abc import Callable, Iterable, Iterator
from time import monotonic, sleep

# Pieces of one answer follow one another closer than this.
_QUIET_SECONDS = 0.02
# An answer of 60 MB has some six hundred pieces: read beside others it takes 3 seconds longer.
_PAUSE_SECONDS = 0.005


class Courtesy:
    """Slows the reading of answers down while others pass, and never stops it.

    The loop gives the interpreter away with each piece that it receives and sends, and would get it
    back only when the thread that reads has had its share.

    Args:
        is_crowded: whether so much waits in memory that reading must not be slowed down.
    """

    def __init__(
        self,
        is_crowded: Callable[[], bool],
        clock: Callable[[], float] = monotonic,
        pause: Callable[[float], None] = sleep,
    ) -> None:
        self._is_crowded, self._clock, self._pause = is_crowded, clock, pause
        self._passed_at = -_QUIET_SECONDS

    def note(self) -> None:
        """A piece of an answer passes."""
        self._passed_at = self._clock()

    def slow_down(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks, each after a short pause while answers pass."""
        for chunk in chunks:
            is_passing = self._clock() - self._passed_at < _QUIET_SECONDS
            if is_passing and not self._is_crowded():
                self._pause(_PAUSE_SECONDS)
            yield chunk

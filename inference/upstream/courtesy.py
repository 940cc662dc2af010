"""Lets what is done beside the traffic make way for pictures and answers that pass just now."""

from collections.abc import Callable, Iterable, Iterator
from time import monotonic, sleep

# Pieces of one answer follow one another closer than this.
_QUIET_SECONDS = 0.02
# An answer of 60 MB has some six hundred pieces: read beside others it takes 3 seconds longer.
_PAUSE_SECONDS = 0.005
# What a record is late at most for that; a burst of uploads is over by then, or fills the queue.
_MAX_WAIT_SECONDS = 0.25


class Courtesy:
    """Slows the reading of answers down, and puts checks off, while others pass; never for long.

    The loop gives the interpreter away with each piece that it receives and sends, and would get it
    back only when the thread that reads has had its share.

    Args:
        may_wait: whether so little waits that reading may be slow and checks may be put off.
    """

    def __init__(
        self,
        may_wait: Callable[[], bool],
        clock: Callable[[], float] = monotonic,
        pause: Callable[[float], None] = sleep,
    ) -> None:
        self._may_wait, self._clock, self._pause = may_wait, clock, pause
        self._passed_at = -_QUIET_SECONDS

    def note(self) -> None:
        """A picture is on its way to the service, or a piece of an answer on its way back."""
        self._passed_at = self._clock()

    def wait(self) -> None:
        """Wait until nothing passes, for some time."""
        give_up_at = self._clock() + _MAX_WAIT_SECONDS
        while self._is_passing() and self._may_wait() and self._clock() < give_up_at:
            self._pause(_PAUSE_SECONDS)

    def slow_down(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks, each after a short pause while answers pass."""
        for chunk in chunks:
            if self._is_passing() and self._may_wait():
                self._pause(_PAUSE_SECONDS)
            yield chunk

    def _is_passing(self) -> bool:
        return self._clock() - self._passed_at < _QUIET_SECONDS

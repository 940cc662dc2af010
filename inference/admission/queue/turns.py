"""Turns that tasks wait for, given to them by the fair queue."""

from asyncio import Future, get_running_loop, timeout

from inference.admission.queue.fair_queue import FairQueue

Turn = Future[None]


class Turns:
    """A fixed number of turns, shared fairly by client; used from one event loop."""

    def __init__(self, number: int) -> None:
        self._queue: FairQueue[Turn] = FairQueue(number)

    async def wait(self, client: str, seconds: float) -> Turn:
        """Wait for a turn, which has to be ended.

        Raises:
            TimeoutError: there was none in time. Whoever gives up, so or otherwise, keeps nothing.
        """
        turn: Turn = get_running_loop().create_future()
        self._queue.join(client, turn)
        self._call()
        try:
            async with timeout(seconds):
                await turn
        except BaseException:
            # The turn may have come at the same moment; then it goes to the next.
            self.end(turn)
            raise
        return turn

    def end(self, turn: Turn) -> None:
        """Give a turn back, or leave the queue, and call the next."""
        self._queue.leave(turn)
        self._call()

    def is_quiet(self) -> bool:
        """Whether somebody who came now would not have to wait; may be asked from any thread."""
        return self._queue.is_quiet()

    def _call(self) -> None:
        while (turn := self._queue.call()) is not None:
            # A task that was cancelled just now has not run since: it is about to give this back.
            if not turn.done():
                turn.set_result(None)

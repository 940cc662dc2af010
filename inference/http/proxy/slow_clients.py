"""Clients that take an answer slowly, and so keep what is in memory for it."""

from collections.abc import Awaitable, Callable
from time import perf_counter

from starlette.types import Message, Send


class PatientSend:
    """Sends an answer, and says once that its client has kept us waiting for too long.

    Only the client's own time counts, not that of the service. A client that takes nothing at all
    is the connection's to close (``MASKWATCH_SEND_SECONDS``).

    Args:
        give_up: is told the status of the answer. It must not hold what it is given to, or what it
            gives up would wait for the collector of cycles, answers in files among it.
    """

    def __init__(
        self, send: Send, max_seconds: float, give_up: Callable[[int], Awaitable[None]]
    ) -> None:
        self._send = send
        self._seconds_left = max_seconds
        self._give_up = give_up
        self._status = 0

    async def __call__(self, message: Message) -> None:
        """Send a message, and wait until the client has taken some of those before."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
        begin = perf_counter()
        await self._send(message)
        had_time = self._seconds_left > 0
        self._seconds_left -= perf_counter() - begin
        if had_time and self._seconds_left <= 0:
            await self._give_up(self._status)

"""Sends requests of our own to an upstream, from threads and on connections of their own."""

import asyncio
from asyncio import (
    AbstractEventLoop,
    all_tasks,
    current_task,
    gather,
    new_event_loop,
    timeout,
)
from concurrent.futures import CancelledError
from pathlib import Path
from threading import Lock, Thread

from starlette.types import Scope

from inference.upstream.looks.look_mark import LookMark
from inference.upstream.relay.faults import FaultKind, UpstreamFault
from inference.upstream.relay.forwarding import SentBody
from inference.upstream.relay.own_client import stay
from inference.upstream.relay.relay import Relay
from inference.upstream.relay.sinks import HeldAnswer

_CLOSE_SECONDS = 10.0


class UpstreamAsker:
    """Asks from any thread; whoever asks waits. Its event loop is not the one of the clients.

    Args:
        relay: for this alone, so that its connections are no client's.
        max_seconds: for one answer, as a whole.
        max_bytes: of one answer.
        folder: for answers that are large.
    """

    def __init__(
        self, relay: Relay, mark: LookMark, max_seconds: float, max_bytes: int, folder: Path
    ) -> None:
        self._relay, self._folder = relay, folder
        self.mark = mark
        self._max_seconds = max_seconds
        self._max_bytes = max_bytes
        self._is_closed = False
        self._lock = Lock()
        self._loop = new_event_loop()
        self._thread = Thread(
            target=_run, args=(self._loop, relay), name="maskwatch-looks", daemon=True
        )
        self._thread.start()

    def ask(self, scope: Scope, body: SentBody) -> HeldAnswer:
        """The answer to a request, which is marked.

        Raises:
            UpstreamFault: there is none, or not in time.
        """
        marked = {**scope, "headers": [*scope["headers"], self.mark.write()]}
        with self._lock:
            if self._is_closed:
                raise _make_stop_fault()
            future = asyncio.run_coroutine_threadsafe(self._hold(marked, body), self._loop)
        try:
            return future.result()
        except CancelledError:
            raise _make_stop_fault() from None

    def close(self) -> None:
        """Break off what is asked, and end the thread."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_SECONDS)

    async def _hold(self, scope: Scope, body: SentBody) -> HeldAnswer:
        try:
            async with timeout(self._max_seconds):
                limit, folder = self._max_bytes, self._folder
                return await self._relay.hold(scope, stay, limit, body=body, folder=folder)
        except TimeoutError:
            raise UpstreamFault(FaultKind.TIMEOUT, "A look took too long.") from None


def _run(loop: AbstractEventLoop, relay: Relay) -> None:
    loop.run_forever()
    loop.run_until_complete(_break_off())
    relay.close()
    loop.close()


async def _break_off() -> None:
    tasks = all_tasks() - {current_task()}
    for task in tasks:
        task.cancel()
    await gather(*tasks, return_exceptions=True)


def _make_stop_fault() -> UpstreamFault:
    return UpstreamFault(FaultKind.BROKEN, "Looks are over: the process ends.")

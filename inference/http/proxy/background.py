"""What goes on beside the traffic on the event loop."""

from asyncio import Task, create_task, gather
from collections.abc import Coroutine
from typing import Any

import structlog

_log = structlog.get_logger(__name__)


class Background:
    """Starts things that nobody waits for, and ends them with the event loop."""

    def __init__(self) -> None:
        # The loop itself holds its tasks but weakly.
        self._tasks: set[Task[None]] = set()

    def start(self, thing: Coroutine[Any, Any, None]) -> None:
        """Do a thing; if it fails, that is said in the log."""
        task = create_task(thing)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    async def close(self) -> None:
        """End what goes on."""
        for task in self._tasks:
            task.cancel()
        await gather(*self._tasks, return_exceptions=True)

    def _end(self, task: Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("not done beside the traffic", exc_info=error)

"""Threads by purpose, so that calls which wait for one thing cannot starve the others."""

from asyncio import Future, get_running_loop
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

Args = ParamSpec("Args")
Result = TypeVar("Result")


class ThreadPool:
    """A few threads of its own; further calls wait in line and hold no thread.

    They are its own so that memory stays flat, too: the allocator keeps a reserve for each thread,
    and a thread that parsed once keeps a large one.
    """

    def __init__(self, name: str, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, f"maskwatch-{name}")

    async def run(
        self, function: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs
    ) -> Result:
        """Call a function in one of the threads."""
        return await self.start(function, *args, **kwargs)

    def start(
        self, function: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs
    ) -> Future[Result]:
        """Call a function in one of the threads; the future is done when the call has ended.

        Cancelling the future does not end a call under way: whoever has to know its end shields it.
        """
        return get_running_loop().run_in_executor(self._pool, partial(function, *args, **kwargs))

"""Processes that kill themselves in the middle of a job: forked from one that has imported it.

A new interpreter takes most of its time to import what a job needs, and two dozen tests want one.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from pathlib import Path
from signal import SIGKILL
from subprocess import PIPE, Popen
from typing import IO, Any

from jobs.context import JobContext
from jobs.settings import JobSettings
from store.engine.database import Database

_ROOT = Path(__file__).parents[2]
_WORKS = "tests.jobs.killed_works"
# The jobs import the others when they fit.
_IMPORTED = (_WORKS, "detectors.outliers.forests.scikit_forest", "sklearn.linear_model")


class Nursery:
    """Asks a process to fork others."""

    def __init__(self, orders: IO[str], answers: IO[str]) -> None:
        self._orders, self._answers = orders, answers

    def kill_at(self, step: str, work: str, context: JobContext, *, calls: int = 1) -> None:
        """Have another process do the same work, and see that it was killed at a step.

        Args:
            step: ``module:function``; its process ends where it is called.
            work: a function of :mod:`tests.jobs.killed_works`.
            calls: at which call the process ends.
        """
        store = context.settings.store
        url = None if store.database_url is None else store.database_url.get_secret_value()
        order = (step, calls, work, str(store.var_dir), url, context.now.isoformat())
        self._orders.write(json.dumps(order) + "\n")
        self._orders.flush()
        assert int(self._answers.readline()) == -SIGKILL


@contextmanager
def open_nursery() -> Iterator[Nursery]:
    """A nursery, which goes at the end."""
    command = [sys.executable, "-m", "tests.jobs.nursery"]
    with Popen(command, cwd=_ROOT, stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Nursery(process.stdin, process.stdout)
        process.stdin.close()


def main() -> None:
    """Fork a process for each order, and tell its exit code."""
    for name in _IMPORTED:
        import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _work(*json.loads(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _work(step: str, calls: int, work: str, var_dir: str, url: str | None, now: str) -> None:
    settings = JobSettings(var_dir=var_dir, database_url=url, simulate_blocks=False)
    _lay_trap(step, calls)
    context = JobContext(Database.open(settings), settings, datetime.fromisoformat(now))
    _find(f"{_WORKS}:{work}")(context)


def _lay_trap(step: str, calls: int) -> None:
    """Replace a function by one whose n-th call kills the process."""
    proceed, earlier = _find(step), 0

    def die(*parts: Any, **options: Any) -> Any:
        nonlocal earlier
        earlier += 1
        if earlier == calls:
            os.kill(os.getpid(), SIGKILL)
        return proceed(*parts, **options)

    module, _, name = step.partition(":")
    setattr(import_module(module), name, die)


def _find(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


if __name__ == "__main__":
    main()

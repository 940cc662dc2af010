"""The supervisor: starts the three processes, restarts one that dies, stops all of them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import monotonic
from types import FrameType
from typing import IO

from detectors.errors import MaskwatchError
from store.engine.files.private_files import OWNER_ONLY

PROCESSES: tuple[str, ...] = ("serve", "jobs", "dashboard")
ATTACHED_PROCESSES: tuple[str, ...] = ("proxy", *PROCESSES[1:])
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_POLL_SECONDS = 0.2
_GRACE_SECONDS = 15.0
_SETTLED_SECONDS = 30.0
_RETRY_SECONDS = 5.0
_MAX_QUICK_DEATHS = 3


class ProcessDied(MaskwatchError):
    """A process ended again and again right after its start."""


@dataclass
class _Child:
    name: str
    process: "subprocess.Popen[bytes]"
    start_seconds: float
    quick_deaths: int = 0


@dataclass
class Supervisor:
    """Runs ``maskwatch serve`` or ``proxy``, ``jobs`` and ``dashboard`` as its children.

    The children get sessions of their own, so that Ctrl-C reaches this process alone, which then
    stops them in order. What they print goes to a file each in ``logs``, or to where this process
    prints.

    Attributes:
        variables: what some children have in their environment besides, by name.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    names: Sequence[str] = PROCESSES
    variables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    logs: Path | None = None
    _children: list[_Child] = field(default_factory=list)
    _stop: Event = field(default_factory=Event)
    _busy: bool = False
    _is_interrupted: bool = False

    def start(self) -> None:
        """Start every process."""
        with self._hold_signals():
            self._children = [_Child(name, self._spawn(name), monotonic()) for name in self.names]

    def check(self) -> None:
        """Restart processes that ended.

        Raises:
            ProcessDied: one ended three times within half a minute of its start.
        """
        for child in self._children:
            if child.process.poll() is not None:
                self._restart(child)

    def watch(self) -> None:
        """Keep the processes running until :meth:`ask_to_stop` or a signal.

        Raises:
            ProcessDied: see :meth:`check`.
        """
        while not self._stop.wait(_POLL_SECONDS):
            self.check()

    def interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        """Handle SIGINT or SIGTERM.

        Raises:
            KeyboardInterrupt: unless a process is being started; then that happens first.
        """
        self._is_interrupted = True
        if not self._busy:
            raise KeyboardInterrupt

    def ask_to_stop(self) -> None:
        """End :meth:`watch`."""
        self._stop.set()

    def stop(self) -> None:
        """Stop every process, first politely, after 15 seconds by force."""
        for child in self._children:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        deadline = monotonic() + _GRACE_SECONDS
        for child in self._children:
            _wait_or_kill(child.process, max(0.1, deadline - monotonic()))

    def _restart(self, child: _Child) -> None:
        age = monotonic() - child.start_seconds
        if child.process.returncode == os.EX_TEMPFAIL:
            # It waits for something that may come back, such as the database.
            if age > _RETRY_SECONDS:
                self._start_again(child)
            return
        child.quick_deaths = child.quick_deaths + 1 if age < _SETTLED_SECONDS else 0
        # A process that says by its exit code that it cannot start will not do better next time.
        if child.process.returncode == 1 or child.quick_deaths >= _MAX_QUICK_DEATHS:
            raise ProcessDied(
                f"`maskwatch {child.name}` ended with exit code {child.process.returncode}; "
                f"{self._last_words(child.name)}"
            )
        self._start_again(child)

    def _start_again(self, child: _Child) -> None:
        with self._hold_signals():
            child.process, child.start_seconds = self._spawn(child.name), monotonic()

    @contextmanager
    def _hold_signals(self) -> Iterator[None]:
        """A signal in here takes effect at the end: no process is started and forgotten."""
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
        if self._is_interrupted:
            raise KeyboardInterrupt

    def _spawn(self, name: str) -> "subprocess.Popen[bytes]":
        with nullcontext() if self.logs is None else _open_log(_log(self.logs, name)) as output:
            return subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "maskwatch", name],
                env={**self.environment, **self.variables.get(name, {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _last_words(self, name: str) -> str:
        if self.logs is None:
            return "its own message above says why."
        lines = _log(self.logs, name).read_text(errors="replace").splitlines()
        return f"its last words were: {lines[-1] if lines else 'none'}"


def run(supervisor: Supervisor, meanwhile: Callable[[], None]) -> None:
    """Start everything, do something beside it, stay until a signal, stop everything.

    Raises:
        MaskwatchError: whatever ended it early; all processes are stopped first.
    """
    before = {number: signal.signal(number, supervisor.interrupt) for number in _STOP_SIGNALS}
    try:
        supervisor.start()
        meanwhile()
        supervisor.watch()
    except KeyboardInterrupt:
        # The usual way to end; the processes are stopped below.
        pass
    finally:
        # A second Ctrl-C must not leave a process behind.
        for number in _STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        supervisor.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


def _log(folder: Path, name: str) -> Path:
    return folder / f"{name}.log"


def _open_log(log: Path) -> IO[bytes]:
    """A file to append to, which its owner alone may read: log lines name clients."""
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OWNER_ONLY), "ab")


def _wait_or_kill(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

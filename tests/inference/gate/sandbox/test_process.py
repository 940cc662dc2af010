"""One worker process: what it may see of the service, and why it ended."""

import os
import sys
from collections.abc import Callable, Iterator
from errno import EMFILE
from pathlib import Path
from select import select
from signal import SIGABRT, SIGBUS, SIGKILL, SIGSEGV, SIGSTOP, SIGSYS, SIGXCPU, Signals

import numpy as np
import pytest

from inference.gate.decoder.examine import examine
from inference.gate.decoder.limits import PictureLimits
from inference.gate.media import MediaType
from inference.gate.sandbox.arena import Arena
from inference.gate.sandbox.process import End, WorkerGone, WorkerLimits, WorkerProcess
from inference.gate.sandbox.wire import Order
from tests.waiting import wait_for

Start = Callable[..., WorkerProcess]
State = Callable[[int], str]


@pytest.fixture
def start(worker_limits: Callable[..., WorkerLimits]) -> Iterator[Start]:
    started: list[WorkerProcess] = []

    def begin(**limits: float) -> WorkerProcess:
        worker = WorkerProcess(worker_limits(**limits))
        started.append(worker)
        return worker

    yield begin
    for worker in started:
        worker.end()


def _open_files(pid: int) -> list[str]:
    links = list(Path(f"/proc/{pid}/fd").iterdir())
    return [str(link.readlink()) for link in links if link.is_symlink()]


def _own_files(pid: int) -> set[int]:
    """What nobody else should hold: memory and sockets, by their numbers in the kernel."""
    links = Path(f"/proc/{pid}/fd").iterdir()
    own = [link for link in links if str(link.readlink()).startswith(("/memfd:", "socket:"))]
    return {link.stat().st_ino for link in own}


def test_it_decodes_one_order_after_the_other(start: Start, png: bytes, jpeg: bytes) -> None:
    worker = start()
    worker.ready()
    uploads = ((7, png, MediaType.PNG), (9, jpeg, MediaType.JPEG), (8, png, MediaType.PNG))
    for number, data, media_type in uploads:
        order = Order(number, len(data), media_type)
        worker.give(data, order)
        reply, image = worker.collect(order)
        assert (reply.number, reply.width, reply.height) == (number, 128, 96)
        assert image is not None
        assert (image.shape, image.dtype.name) == ((96, 128, 3), "uint8")
        expected = examine(data, media_type, PictureLimits()).picture
        assert np.array_equal(image, np.asarray(expected))


def test_a_picture_is_the_services_own(start: Start, png: bytes) -> None:
    worker = start()
    worker.ready()
    kept = []
    for number in (1, 2, 3):
        order = Order(number, len(png), MediaType.PNG)
        worker.give(png, order)
        _, image = worker.collect(order)
        assert image is not None
        kept.append(image)
        image[:] = number
    assert [np.unique(image).tolist() for image in kept] == [[1], [2], [3]]


def test_an_answer_to_another_order_is_none(start: Start, png: bytes) -> None:
    worker = start()
    worker.ready()
    worker.give(png, Order(1, len(png), MediaType.PNG))
    with pytest.raises(WorkerGone) as gone:
        worker.collect(Order(2, len(png), MediaType.PNG))
    assert gone.value.end is End.BAD_REPLY


def test_one_that_spoke_unasked_takes_no_order(start: Start, png: bytes) -> None:
    worker = start()
    # Its greeting, which nobody asked for.
    wait_for(lambda: bool(select([worker._channel], [], [], 0)[0]))
    with pytest.raises(WorkerGone) as gone:
        worker.give(png, Order(1, len(png), MediaType.PNG))
    assert gone.value.end is End.BAD_REPLY


def test_it_says_once_what_holds_it(start: Start) -> None:
    worker = start()
    assert worker.ready() == worker.ready()
    assert worker.last_words() == ""


def test_secrets_of_the_service_stay_there(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKWATCH_DATABASE_URL", "postgresql://name:hunter2@host")
    worker = start()
    worker.ready()
    environment = Path(f"/proc/{worker.pid}/environ").read_bytes()
    command = Path(f"/proc/{worker.pid}/cmdline").read_bytes()
    assert b"PATH=" in environment
    assert b"inference.gate.sandbox.worker" in command
    assert b"hunter2" not in environment + command
    assert b"MASKWATCH" not in environment


def test_open_files_of_the_service_stay_there(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    descriptor = os.open(file, os.O_CREAT | os.O_RDWR)
    os.set_inheritable(descriptor, True)
    first, second = start(), start()
    second.ready()
    first.ready()
    for worker, other in ((first, second), (second, first)):
        found = _open_files(worker.pid)
        assert str(file) not in found
        assert sum(name.startswith("socket:") for name in found) == 1
        assert not _own_files(worker.pid) & _own_files(other.pid)
        assert _own_files(worker.pid)
        assert len(found) <= 8
    os.close(descriptor)


def test_it_is_the_leader_of_its_own_session(start: Start) -> None:
    worker = start()
    worker.ready()
    assert os.getsid(worker.pid) == worker.pid != os.getsid(0)


@pytest.mark.parametrize(
    ("signal", "end"),
    [
        (SIGKILL, End.KILLED),
        (SIGSEGV, End.CRASHED),
        (SIGABRT, End.CRASHED),
        (SIGBUS, End.CRASHED),
        (SIGXCPU, End.CPU),
        (SIGSYS, End.FORBIDDEN_CALL),
    ],
)
def test_the_signal_that_ended_it_says_why(
    start: Start, png: bytes, signal: Signals, end: End
) -> None:
    worker = start()
    worker.ready()
    os.kill(worker.pid, SIGSTOP)
    order = Order(1, len(png), MediaType.PNG)
    worker.give(png, order)
    os.kill(worker.pid, signal)
    os.kill(worker.pid, Signals.SIGCONT)
    with pytest.raises(WorkerGone) as gone:
        worker.collect(order)
    assert gone.value.end is end


def test_one_that_died_before_it_was_asked_takes_no_order(
    start: Start, state: State, png: bytes
) -> None:
    worker = start()
    worker.ready()
    os.kill(worker.pid, SIGKILL)
    wait_for(lambda: not state(worker.pid))
    with pytest.raises(WorkerGone) as gone:
        worker.give(png, Order(1, len(png), MediaType.PNG))
    assert gone.value.end is End.KILLED


def test_one_that_hangs_is_out_of_time(start: Start, png: bytes) -> None:
    worker = start(wall_seconds=0.2)
    worker.ready()
    os.kill(worker.pid, SIGSTOP)
    order = Order(1, len(png), MediaType.PNG)
    worker.give(png, order)
    with pytest.raises(WorkerGone) as gone:
        worker.collect(order)
    assert gone.value.end is End.TIME


def test_ending_kills_even_a_stopped_one(
    worker_limits: Callable[..., WorkerLimits], state: State
) -> None:
    worker = WorkerProcess(worker_limits())
    os.kill(worker.pid, SIGSTOP)
    pid = worker.pid
    worker.end()
    assert not state(pid)


@pytest.fixture
def programless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that says something and ends."""
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho one >&2\necho 'no such module' >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


def test_one_that_does_not_start_leaves_its_last_words(programless: None, start: Start) -> None:
    worker = start()
    with pytest.raises(WorkerGone) as gone:
        worker.ready()
    assert gone.value.end is End.NOT_STARTED
    assert worker.last_words() == "no such module"


def test_a_start_that_fails_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    before = set(_open_files(os.getpid()))
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(FileNotFoundError):
        start()
    assert not set(_open_files(os.getpid())) - before


def test_a_start_without_files_left_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    made: list[Arena] = []
    make = Arena.make

    def remember(*sizes: int) -> Arena:
        made.append(make(*sizes))
        return made[-1]

    def refuse(*_: object) -> None:
        raise OSError(EMFILE, "Too many open files")

    monkeypatch.setattr(Arena, "make", remember)
    monkeypatch.setattr("inference.gate.sandbox.process.socket.socketpair", refuse)
    with pytest.raises(OSError, match="Too many"):
        start()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(made[0].descriptor)


def test_limits_of_processor_time_lie_above_those_of_the_clock(
    worker_limits: Callable[..., WorkerLimits],
) -> None:
    for wall_seconds in (0.1, 5.0, 300.0):
        limits = worker_limits(wall_seconds=wall_seconds)
        setup = limits.setup(3, 4)
        assert setup.max_cpu_seconds >= 2 * wall_seconds
        assert limits.resources().cpu_seconds > setup.max_cpu_seconds + wall_seconds

"""One decode worker as the service sees it: started, asked, killed, started again."""

import json
import os
import select
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from enum import StrEnum
from signal import Signals

import cv2
import numpy as np

from detectors.errors import MaskwatchError
from detectors.parsing import Image
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.sandbox.arena import Arena
from inference.gate.sandbox.lockdown import Sandbox
from inference.gate.sandbox.rlimits import Resources
from inference.gate.sandbox.wire import MAX_MESSAGE_BYTES, BadReply, Order, Reply
from inference.gate.sandbox.worker import Setup

# It happens within a second, but not on a machine that does much else.
_START_SECONDS = 30.0
# A process closes its files a little before it can be waited for. One that lives on without its
# channel is killed, or it would keep its seat.
_BURIAL_SECONDS = 1.0
# None of the service's secrets. Memory of one picture is kept for the next, in huge pages: taking
# it from the system anew, page by page, costs as much time as decoding into it.
_KEPT_BYTES = "32000000"
_ENVIRONMENT = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "MALLOC_TRIM_THRESHOLD_": _KEPT_BYTES,
    "MALLOC_MMAP_THRESHOLD_": _KEPT_BYTES,
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


class End(StrEnum):
    """Why a worker is gone."""

    RECYCLED = "recycled"
    TIME = "time"
    CPU = "cpu"
    FORBIDDEN_CALL = "forbidden_call"
    CRASHED = "crashed"
    KILLED = "killed"
    BAD_REPLY = "bad_reply"
    NOT_STARTED = "not_started"


class WorkerGone(MaskwatchError):
    """The worker died, hung or answered nonsense; ``end`` says which."""

    def __init__(self, end: End) -> None:
        super().__init__(f"A decode worker is gone: {end.value}.")
        self.end = end


@dataclass(frozen=True)
class WorkerLimits:
    """What one worker may take.

    Attributes:
        max_upload_bytes: largest upload.
        memory_bytes: address space for decoding, on top of the interpreter and the shared memory.
        wall_seconds: for one picture.
        max_orders: pictures before a worker is replaced.
        picture: what a picture may be.
    """

    max_upload_bytes: int
    memory_bytes: int
    wall_seconds: float
    max_orders: int
    picture: PictureLimits

    def resources(self) -> Resources:
        """Processor time is for a life: the wall limit already bounds it for each picture."""
        return Resources(self.memory_bytes, int(2 * self._max_cpu_seconds() + 1))

    def _max_cpu_seconds(self) -> float:
        return max(30.0, 2 * self.wall_seconds)

    def setup(self, channel: int, arena: int) -> Setup:
        """The worker's own view."""
        return Setup(
            channel=channel,
            arena=arena,
            max_upload_bytes=self.max_upload_bytes,
            max_orders=self.max_orders,
            max_cpu_seconds=self._max_cpu_seconds(),
            limits=self.picture,
            resources=self.resources(),
        )


class WorkerProcess:
    """A child process with its channel and its arena. Used by one thread at a time.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, limits: WorkerLimits) -> None:
        self._limits = limits
        self._sandbox: Sandbox | None = None
        with ExitStack() as undo:
            self._arena = Arena.make(limits.max_upload_bytes, limits.picture.max_decoded_pixels)
            undo.callback(self._arena.close)
            # What it says before it is locked down; after that it cannot write to any file.
            self._errors = os.fdopen(os.memfd_create("maskwatch-errors"), "w+b")
            undo.callback(self._errors.close)
            self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            undo.callback(self._channel.close)
            with theirs:
                self._process = self._start(theirs)
            self._undo = undo.pop_all()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_ready(self) -> bool:
        """Whether the worker was waited for."""
        return self._sandbox is not None

    def ready(self) -> Sandbox:
        """Wait until the worker is locked down; says what holds it.

        Raises:
            WorkerGone: it did not start.
        """
        if self._sandbox is None:
            try:
                self._sandbox = Sandbox(**json.loads(self._answer(_START_SECONDS)))
            except (ValueError, TypeError, WorkerGone):
                raise WorkerGone(End.NOT_STARTED) from None
        return self._sandbox

    def last_words(self) -> str:
        """The last line that the worker wrote before it was locked down."""
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def give(self, data: bytes, order: Order) -> None:
        """Lay an upload down and order it decoded.

        Raises:
            WorkerGone: the worker died, or spoke unasked, before it could take the order.
        """
        self._expect_silence()
        self._arena.put_upload(data)
        try:
            self._channel.send(order.to_bytes())
        except OSError:
            raise WorkerGone(self._cause()) from None

    def collect(self, order: Order) -> tuple[Reply, Image | None]:
        """The reply to the order, and the picture ``(H, W, 3)`` uint8, if there is one.

        Raises:
            WorkerGone: it died, hung or answered nonsense; it must be ended now.
        """
        reply = self._check_reply(self._answer(self._limits.wall_seconds), order)
        if reply.refusal:
            return reply, None
        length = reply.width * reply.height * reply.depth
        image = _copy_pixels(self._arena.pixels(length), reply)
        self._arena.tidy(length)
        return reply, image

    def end(self) -> None:
        """Kill the process, whatever it does, and give everything back."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        self._undo.close()

    def _start(self, channel: socket.socket) -> subprocess.Popen[bytes]:
        setup = self._limits.setup(channel.fileno(), self._arena.descriptor)
        return subprocess.Popen(  # noqa: S603 - our own module, numbers as arguments
            [sys.executable, "-I", "-m", "inference.gate.sandbox.worker", setup.to_json()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            pass_fds=(channel.fileno(), self._arena.descriptor),
            env=_ENVIRONMENT,
            start_new_session=True,  # Ctrl-C in a terminal is for the service to handle
        )

    def _answer(self, seconds: float) -> bytes:
        self._channel.settimeout(seconds)
        try:
            message = self._channel.recv(MAX_MESSAGE_BYTES)
        except TimeoutError:
            raise WorkerGone(End.TIME) from None
        except OSError:
            message = b""
        if not message and self._poll() & select.POLLHUP:
            raise WorkerGone(self._cause())
        # Whoever is still there has sent an empty message, which no worker of ours does.
        return message

    def _expect_silence(self) -> None:
        event = self._poll()
        if event:
            raise WorkerGone(self._cause() if event & select.POLLHUP else End.BAD_REPLY)

    def _poll(self) -> int:
        """What has happened on the channel, as flags of ``select.poll``; 0 where nothing has."""
        waiting = select.poll()
        waiting.register(self._channel, select.POLLIN)
        return sum(event for _, event in waiting.poll(0))

    def _check_reply(self, message: bytes, order: Order) -> Reply:
        try:
            reply = Reply.from_bytes(message)
        except BadReply:
            raise WorkerGone(End.BAD_REPLY) from None
        too_odd = not reply.refusal and not self._may_be(reply)
        if too_odd or reply.number != order.number:
            raise WorkerGone(End.BAD_REPLY)
        return reply

    def _may_be(self, reply: Reply) -> bool:
        """Whether a worker of ours would have accepted such a picture: one may be taken over."""
        try:
            self._limits.picture.check_decoded(reply.width, reply.height)
            self._limits.picture.check_sides(reply.file_width, reply.file_height)
        except Unacceptable:
            return False
        return True

    def _cause(self) -> End:
        """Why the channel closed, or takes no order."""
        try:
            code = self._process.wait(timeout=_BURIAL_SECONDS)
        except subprocess.TimeoutExpired:
            # Of a process that dies slowly it stands already what it died of.
            self._process.kill()
            code = self._process.wait()
        causes = {
            -Signals.SIGXCPU: End.CPU,
            -Signals.SIGSYS: End.FORBIDDEN_CALL,
            -Signals.SIGKILL: End.KILLED,
        }
        return causes.get(code, End.CRASHED)


def _copy_pixels(memory: memoryview, reply: Reply) -> Image:
    """A picture of our own: what the worker writes later does not matter."""
    pixels = np.frombuffer(memory, np.uint8).reshape(reply.height, reply.width, reply.depth)
    if reply.depth == 3:
        return pixels.copy()
    return cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB).astype(np.uint8, copy=False)

"""Where an answer goes: to the client at once, or aside until somebody has looked at it."""

from asyncio import sleep
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from starlette.types import Send

from inference.upstream.answers.tap import AnswerTap
from inference.upstream.relay.exchange import Exchange
from inference.upstream.relay.faults import FaultKind, UpstreamFault
from inference.upstream.relay.headers import Headers, find_value, keep_end_to_end, leave_out

Tap = Callable[[bytes], None]


class Sink(Protocol):
    """Takes an answer, piece by piece."""

    @property
    def is_begun(self) -> bool:
        """Whether the client was sent anything."""
        ...

    async def begin(self, status: int, headers: Headers) -> None:
        """Take the head."""
        ...

    async def write(self, data: bytes) -> None:
        """Take bytes of the body."""
        ...

    async def end(self) -> None:
        """Take the end."""
        ...


class ClientSink:
    """Sends each piece to the client before the next one is read."""

    def __init__(
        self, send: Send, extra_headers: Iterable[tuple[bytes, bytes]], tap: Tap | None
    ) -> None:
        self._send = send
        self._extra_headers = list(extra_headers)
        self._tap = tap
        self.is_begun = False

    async def begin(self, status: int, headers: Headers) -> None:
        """Send the head."""
        self.is_begun = True
        await self._send(_start(status, headers, self._extra_headers))

    async def write(self, data: bytes) -> None:
        """Send bytes, and show them to whoever reads along."""
        if self._tap is not None:
            self._tap(data)
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        """Send the end."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


@dataclass
class HoldingSink:
    """Keeps an answer in pieces, up to a limit of its own and as far as there is room.

    Attributes:
        take_memory: is told how many bytes more are to be kept, and says whether they may.
        folder: for what is large; without one all is in memory.
        kept: the answer.
    """

    limit_bytes: int
    take_memory: Callable[[int], bool]
    folder: Path | None = None
    status: int = 0
    headers: Headers = field(default_factory=list)
    is_begun: bool = False

    def __post_init__(self) -> None:
        """Keep nothing yet."""
        self.kept = AnswerTap(self.limit_bytes, folder=self.folder)
        self._reserved_bytes = 0

    async def begin(self, status: int, headers: Headers) -> None:
        """Keep the head.

        Memory for an answer that says its length is taken at once: of answers that grow side by
        side, each would be refused at its half.

        Raises:
            UpstreamFault: ``too_large``, or ``full``: there is no memory for it.
        """
        self.status, self.headers = status, headers
        self._reserve(int(find_value(headers, b"content-length") or 0))

    async def write(self, data: bytes) -> None:
        """Keep bytes.

        Raises:
            UpstreamFault: ``too_large`` or ``full``.
        """
        self._reserve(self.kept.byte_count + len(data))
        self.kept.take(data)
        if not self.kept.has_room:
            raise UpstreamFault(FaultKind.FULL, "There is no room left to hold an answer.")

    async def end(self) -> None:
        """Nothing more is kept."""

    def _reserve(self, size: int) -> None:
        """Have memory for so many bytes in all."""
        if size > self.limit_bytes:
            raise UpstreamFault(FaultKind.TOO_LARGE, "The answer is too large to be looked at.")
        missing = size - self._reserved_bytes
        if missing > 0:
            if not self.take_memory(missing):
                raise UpstreamFault(FaultKind.FULL, "There is no memory left to hold an answer.")
            self._reserved_bytes = size


@dataclass(frozen=True)
class HeldAnswer:
    """A whole answer that the client was not sent yet; empty if the client left.

    Attributes:
        kept: its body, of which each reader takes a copy.
    """

    exchange: Exchange
    status: int
    headers: Headers
    kept: AnswerTap

    @property
    def body(self) -> bytes:
        """The body in one piece: a copy of all of it."""
        return b"".join(self.kept.copy().drain())

    async def release(self, send: Send, extra_headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Send it after all, chunk by chunk: the server copies what the client has not taken."""
        await send(_start(self.status, self.headers, list(extra_headers)))
        for chunk in self.kept.copy().drain():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            # A client that takes everything at once would let nobody else have a turn.
            await sleep(0)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _start(status: int, headers: Headers, extra: Headers) -> dict[str, object]:
    kept = leave_out(keep_end_to_end(headers), {name.lower() for name, _ in extra})
    return {"type": "http.response.start", "status": status, "headers": kept + extra}

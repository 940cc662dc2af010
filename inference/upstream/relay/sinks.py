"""Where an answer goes: to the client at once, or into memory until somebody has looked at it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from starlette.types import Send

from inference.upstream.relay.exchange import Exchange
from inference.upstream.relay.faults import FaultKind, UpstreamFault
from inference.upstream.relay.headers import Headers, keep_end_to_end, leave_out

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
class MemorySink:
    """Keeps an answer, up to a limit."""

    limit_bytes: int
    status: int = 0
    headers: Headers = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    is_begun: bool = False

    async def begin(self, status: int, headers: Headers) -> None:
        """Keep the head."""
        self.status, self.headers = status, headers

    async def write(self, data: bytes) -> None:
        """Keep bytes.

        Raises:
            UpstreamFault: ``too_large``.
        """
        if len(self.body) + len(data) > self.limit_bytes:
            raise UpstreamFault(FaultKind.TOO_LARGE, "The answer is too large to be looked at.")
        self.body += data

    async def end(self) -> None:
        """Nothing more is kept."""


@dataclass(frozen=True)
class HeldAnswer:
    """A whole answer that the client was not sent yet; empty if the client left."""

    exchange: Exchange
    status: int
    headers: Headers
    body: bytes

    async def release(self, send: Send, extra_headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Send it after all."""
        await send(_start(self.status, self.headers, list(extra_headers)))
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def _start(status: int, headers: Headers, extra: Headers) -> dict[str, object]:
    kept = leave_out(keep_end_to_end(headers), {name.lower() for name, _ in extra})
    return {"type": "http.response.start", "status": status, "headers": kept + extra}

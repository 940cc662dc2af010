"""The connections to one upstream."""

import ssl
from asyncio import Semaphore, get_running_loop, timeout
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from inference.upstream.relay.address import UpstreamAddress
from inference.upstream.relay.connection import UpstreamConnection
from inference.upstream.relay.faults import FaultKind, UpstreamFault
from inference.upstream.relay.limits import RelayLimits

# Less than half the turns of the loop that pieces of 100 KB take. The allocator keeps such blocks
# where :func:`give_large_blocks_back` was called; else it takes each from the system anew.
_READ_BYTES = 262_144


class ConnectionPool:
    """Lends connections, at most so many at a time; whoever comes too late waits for a turn."""

    def __init__(self, address: UpstreamAddress, limits: RelayLimits) -> None:
        self._address = address
        self._limits = limits
        self._places = Semaphore(limits.max_connections)
        self._in_use = 0
        self._resting: deque[UpstreamConnection] = deque()
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self.tls = ssl.create_default_context() if address.is_encrypted else None

    @property
    def in_use(self) -> int:
        """Connections that are lent."""
        return self._in_use

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """The right to one connection to the upstream.

        Raises:
            UpstreamFault: ``full``.
        """
        await self._take_place()
        self._in_use += 1
        try:
            yield
        finally:
            self._in_use -= 1
            self._places.release()

    @asynccontextmanager
    async def connection(self, *, is_new: bool) -> AsyncIterator[UpstreamConnection]:
        """A connection for one exchange; it is closed afterwards unless the exchange is whole.

        Args:
            is_new: whether it must be one that nothing was sent on: the upstream may be about to
                close another.

        Raises:
            UpstreamFault: ``full``, ``refused`` or ``timeout``.
        """
        async with self.place():
            connection = None if is_new else self._take_resting()
            connection = connection or await self._connect()
            try:
                yield connection
            finally:
                self._put_back(connection)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._resting:
            self._resting.pop().abort()

    async def _take_place(self) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with timeout(self._limits.wait_seconds):
                await self._places.acquire()
        except TimeoutError:
            sentence = "All connections to the upstream are in use."
            raise UpstreamFault(FaultKind.FULL, sentence) from None

    def _take_resting(self) -> UpstreamConnection | None:
        while self._resting:
            connection = self._resting.pop()
            if connection.is_open:
                connection.wake()
                return connection
        return None

    async def _connect(self) -> UpstreamConnection:
        self._make_room()
        loop, address = get_running_loop(), self._address
        try:
            async with timeout(self._limits.connect_seconds):
                _, connection = await loop.create_connection(
                    lambda: UpstreamConnection(loop, self._buffer),
                    address.host,
                    address.port,
                    ssl=self.tls,
                )
        except TimeoutError:
            sentence = "The upstream takes no connection in time."
            raise UpstreamFault(FaultKind.TIMEOUT, sentence) from None
        except OSError:
            sentence = "The upstream takes no connection."
            raise UpstreamFault(FaultKind.REFUSED, sentence) from None
        return connection

    def _make_room(self) -> None:
        """Close what has rested longest: it counts as open too."""
        while self._resting and self._in_use + len(self._resting) > self._limits.max_connections:
            self._resting.popleft().abort()

    def _put_back(self, connection: UpstreamConnection) -> None:
        if connection.rest(self._limits.idle_seconds):
            self._resting = deque(each for each in self._resting if each.is_open)
            self._resting.append(connection)
        else:
            connection.abort()

"""What an upstream says unasked is never the answer to a request, whenever it comes."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from threading import Event

import h11
import pytest

from inference.upstream.relay.connection import UpstreamConnection
from inference.upstream.relay.faults import FaultKind, UpstreamFault
from inference.upstream.relay.pool import ConnectionPool
from inference.upstream.upstream_settings import UpstreamGroup
from tests.inference.upstream.relay.conftest import (
    Relaying,
    Upstream,
    always,
    read_all,
    read_head,
)
from tests.waiting import PATIENCE_SECONDS

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class TalkativeUpstream:
    """Answers one request, and says more when it is told to, unasked."""

    def __init__(self) -> None:
        self._says_more, self._has_said_more = Event(), Event()

    def handle(self, connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(OK)
        self._says_more.wait()
        connection.sendall(POISON)
        self._has_said_more.set()
        read_all(connection)

    def say_more(self) -> None:
        """Return once it is on its way. Over loopback it has arrived by then."""
        self._says_more.set()
        assert self._has_said_more.wait(PATIENCE_SECONDS)


async def _ask(connection: UpstreamConnection) -> bytes | None:
    request = h11.Request(method="GET", target="/", headers=[("host", "a")])
    await connection.send(request)
    await connection.send(h11.EndOfMessage())
    await connection.read_head(PATIENCE_SECONDS)
    answer = await connection.read_body(PATIENCE_SECONDS)
    assert await connection.read_body(PATIENCE_SECONDS) is None
    return answer


@asynccontextmanager
async def _lend_twice(port: int) -> AsyncIterator[UpstreamConnection]:
    """A connection that was used once and is lent again."""
    group = UpstreamGroup(upstream=f"http://127.0.0.1:{port}")
    pool = ConnectionPool(group.upstream_address(), group.relay_limits())
    async with pool.connection(is_new=False) as first:
        assert await _ask(first) == b"ok"
    async with pool.connection(is_new=False) as second:
        assert second is first
        yield second
    pool.close()


async def _leave_unread() -> None:
    """The loop does not come to it."""


async def _read() -> None:
    """The loop looks at its sockets once more than it takes for them to be read."""
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.mark.parametrize("before_request", [_leave_unread, _read])
def test_what_comes_between_the_loan_and_the_request_is_no_answer(
    upstream: Upstream, before_request: Callable[[], Awaitable[None]]
) -> None:
    talkative = TalkativeUpstream()
    server = upstream(talkative.handle)

    async def ask_twice() -> None:
        async with _lend_twice(server.port) as connection:
            talkative.say_more()
            await before_request()
            with pytest.raises(UpstreamFault) as caught:
                await _ask(connection)
            assert caught.value.kind is FaultKind.BROKEN
            assert connection.was_stale(caught.value.kind)

    asyncio.run(ask_twice())


def test_what_follows_an_answer_is_never_the_answer_of_somebody_else(
    upstream: Upstream, relaying: Relaying
) -> None:
    relayed = relaying(upstream(always(OK + POISON)).port)
    for _ in range(3):
        said = relayed.say(GET)
        assert said.endswith(b"\r\n\r\nok")


def test_what_comes_while_a_connection_rests_is_never_an_answer(
    upstream: Upstream, relaying: Relaying
) -> None:
    talkative = TalkativeUpstream()
    server = upstream(talkative.handle)
    relayed = relaying(server.port)
    assert relayed.say(GET).endswith(b"ok")
    talkative.say_more()
    # The relay has thrown the connection away once the upstream's thread is over.
    server.join()
    assert relayed.say(GET).endswith(b"ok")

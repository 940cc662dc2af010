"""How long one answer keeps the event loop from everybody else."""

import asyncio
import socket

import h11

from inference.upstream.relay.pool import ConnectionPool
from inference.upstream.upstream_settings import UpstreamGroup
from tests.inference.upstream.relay.conftest import Upstream, read_head

_CHUNKS = 5_000
_MAX_READS = 64


def _send_tiny_chunks(connection: socket.socket) -> None:
    read_head(connection)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.sendall(head + b"1\r\na\r\n" * _CHUNKS + b"0\r\n\r\n")


class _Reads:
    """Counts what is read between two turns of the event loop."""

    def __init__(self) -> None:
        self.in_all = self.in_this_turn = self.most = 0

    def count(self) -> None:
        self.in_all += 1
        self.in_this_turn += 1
        self.most = max(self.most, self.in_this_turn)

    async def watch_turns(self) -> None:
        while True:
            self.in_this_turn = 0
            await asyncio.sleep(0)


async def _read_answer(port: int) -> _Reads:
    group, reads = UpstreamGroup(upstream=f"http://127.0.0.1:{port}"), _Reads()
    pool = ConnectionPool(group.upstream_address(), group.relay_limits())
    watcher = asyncio.create_task(reads.watch_turns())
    async with pool.connection(is_new=True) as connection:
        await connection.send(h11.Request(method="GET", target="/", headers=[("host", "a")]))
        await connection.send(h11.EndOfMessage())
        await connection.read_head(60)
        while await connection.read_body(60) is not None:
            reads.count()
    watcher.cancel()
    pool.close()
    return reads


def test_an_answer_of_tiny_chunks_leaves_others_their_turns(upstream: Upstream) -> None:
    reads = asyncio.run(_read_answer(upstream(_send_tiny_chunks).port))

    assert reads.in_all == _CHUNKS
    assert reads.most <= _MAX_READS

"""Requests that two parsers could read differently: the upstream sees one reading alone."""

import socket

import pytest

from tests.inference.upstream.relay.conftest import Relaying, Upstream, read_all, read_some

POST = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
INNER = b"GET /inner HTTP/1.1\r\nHost: a\r\n\r\n"


def _sent_up(upstream: Upstream, relaying: Relaying, request: bytes) -> list[bytes]:
    """What goes up for some bytes, one entry for each connection that was opened."""
    received: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        data = b""
        while not data.endswith((b"end", b"\r\n\r\n")):
            data += read_some(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        received.append(data + read_all(connection))

    server = upstream(handle)
    relayed = relaying(server.port, upstream_idle_seconds=0)
    relayed.say(request)
    server.join()
    return received


def test_chunks_win_over_a_length(upstream: Upstream, relaying: Relaying) -> None:
    both = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nend\r\n0\r\n\r\n"
    sent = _sent_up(upstream, relaying, POST + both + INNER)
    assert len(sent) == 1
    assert b"content-length" not in sent[0]
    assert b"inner" not in sent[0]


def test_extensions_of_chunks_end_here(upstream: Upstream, relaying: Relaying) -> None:
    chunks = b'Transfer-Encoding: chunked\r\n\r\n3;a="\r\n\r\nend\r\n0\r\nX-Trailer: 1\r\n\r\n'
    for data in _sent_up(upstream, relaying, POST + chunks):
        assert b'a="' not in data
        assert b"X-Trailer" not in data


def test_a_folded_header_goes_up_on_one_line(upstream: Upstream, relaying: Relaying) -> None:
    (sent,) = _sent_up(upstream, relaying, POST + b"X-Fold: a\r\n b: c\r\n\r\n")
    assert b"x-fold: a b: c\r\n" in sent


def test_bare_line_feeds_go_up_as_line_ends(upstream: Upstream, relaying: Relaying) -> None:
    (sent,) = _sent_up(upstream, relaying, POST.replace(b"\r\n", b"\n") + b"X-A: b\n\n")
    assert sent.count(b"\n") == sent.count(b"\r\n")
    assert b"x-a: b\r\n" in sent


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nend",
        b"Content-Length: +3\r\n\r\nend",
        b"Content-Length: 0x3\r\n\r\nend",
        b"Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nend\r\n0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n3\r\nend\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n3\r\nend\r\n0\r\n\r\n",
        b"X-A: b\rX-B: c\r\n\r\n",
        b"X-A: b\0c\r\n\r\n",
        b"Host: b\r\n\r\n",
    ],
)
def test_what_is_in_doubt_does_not_go_up(
    upstream: Upstream, relaying: Relaying, lines: bytes
) -> None:
    assert _sent_up(upstream, relaying, POST + lines) == []

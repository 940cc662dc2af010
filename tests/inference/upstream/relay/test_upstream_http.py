"""What goes past the parser against what it would have read."""

from collections.abc import Callable, Iterable, Iterator

import h11
import numpy as np
import pytest

from inference.upstream.relay.upstream_http import UpstreamHttp

HEAD = b"HTTP/1.1 200 OK\r\n"
SIZES = (1, 2, 3, 7, 100, 5_000, 70_000, 200_000)


def _ask(http: h11.Connection) -> h11.Connection:
    http.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    http.send(h11.EndOfMessage())
    return http


def _write_chunked(parts: Iterable[bytes]) -> bytes:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def _write_sized(parts: Iterable[bytes]) -> bytes:
    body = b"".join(parts)
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _split(data: bytes, random: np.random.Generator) -> Iterator[bytes]:
    """Pieces as a socket would give them."""
    at = 0
    while at < len(data):
        size = int(random.choice(SIZES))
        yield data[at : at + size]
        at += size


def _read(pieces: Iterable[bytes]) -> tuple[bytes, int, bool]:
    """The body, how much of it went past the parser, and whether it ended."""
    http, body, passed, has_ended = UpstreamHttp(65_536), b"", 0, False
    _ask(http)
    for piece in pieces:
        content, rest = http.split_content(piece)
        body, passed = body + content, passed + len(content)
        if rest:
            http.receive_data(rest)
        while not has_ended and (event := http.next_event()) is not h11.NEED_DATA:
            body += bytes(event.data) if isinstance(event, h11.Data) else b""
            has_ended = isinstance(event, h11.EndOfMessage)
    return body, passed, has_ended


@pytest.mark.parametrize("write", [_write_chunked, _write_sized])
@pytest.mark.parametrize("seed", range(5))
def test_bodies_come_out_as_they_went_in(
    write: Callable[[Iterable[bytes]], bytes], seed: int
) -> None:
    random = np.random.default_rng(seed)
    parts = [random.bytes(int(size)) for size in random.permutation(SIZES)]
    body, passed, has_ended = _read(_split(write(parts), random))
    assert body == b"".join(parts)
    assert has_ended
    assert passed > 0


def test_most_of_a_large_chunk_goes_past_the_parser() -> None:
    data = _write_chunked([bytes(1_000_000)])
    pieces = [data[at : at + 10_000] for at in range(0, len(data), 10_000)]
    assert _read(pieces)[1] > 980_000


def test_what_follows_an_answer_is_never_its_content() -> None:
    http = UpstreamHttp(65_536)
    _ask(http)
    http.receive_data(HEAD + b"Content-Length: 4\r\n\r\n")
    assert isinstance(http.next_event(), h11.Response)
    assert http.split_content(b"bodyHTTP") == (b"body", b"HTTP")
    http.receive_data(b"HTTP")
    assert isinstance(http.next_event(), h11.EndOfMessage)
    assert http.split_content(b"/1.1") == (b"", b"/1.1")
    assert http.trailing_data == (b"HTTP", False)


def test_nothing_overtakes_what_the_parser_holds() -> None:
    http = UpstreamHttp(65_536)
    _ask(http)
    http.receive_data(HEAD + b"Content-Length: 8\r\n\r\nab")
    assert isinstance(http.next_event(), h11.Response)
    assert http.split_content(b"cd") == (b"", b"cd")


@pytest.mark.parametrize("end", [b"xx", b"\nx", b"\rx"])
def test_a_chunk_that_does_not_end_is_refused(end: bytes) -> None:
    http = UpstreamHttp(65_536)
    _ask(http)
    http.receive_data(HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\n")
    assert isinstance(http.next_event(), h11.Response)
    assert http.next_event() is h11.NEED_DATA
    assert http.split_content(b"body" + end) == (b"body", end)
    http.receive_data(end)
    with pytest.raises(h11.RemoteProtocolError):
        http.next_event()


HEADS = (HEAD, b"HTTP/1.1 103 Hints\r\n\r\n" + HEAD, b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 304 X\r\n")
ENDS = (b"0\r\n\r\n", b"0;x\r\n\r\n", b"00\r\nA: b\r\n\r\n", b"0\r\nno header\r\n\r\n", b"")
SURPLUS = (b"", b"", b"\r\n", b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny")


def _write_odd(random: np.random.Generator) -> bytes:
    """An answer that may be broken, cut short, or have something behind its end."""
    parts = [b"H0\r\n;5\n" * int(size) for size in random.integers(0, 40, 4)]
    body, kind = b"".join(parts), random.integers(3)
    head = HEADS[random.integers(len(HEADS))]
    if kind == 0:
        said = max(0, len(body) + int(random.choice([0, 0, 0, -1, 1])))
        text = b"Content-Length: %d\r\n\r\n" % said + body
    elif kind == 1:
        line_ends = random.choice([b"\r\n", b"\r\n", b";a=b\r\n", b"\n"], len(parts))
        pairs = zip(filter(None, parts), line_ends, strict=False)
        chunks = [b"%x%b%b\r\n" % (len(part), bytes(end), part) for part, end in pairs]
        text = b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunks)
        text += ENDS[random.integers(len(ENDS))]
    else:
        text = b"\r\n" + body
    data = head + text + SURPLUS[random.integers(len(SURPLUS))]
    return data[: random.integers(1, len(data) + 1)] if random.random() < 0.2 else data


def _cut_finely(data: bytes, random: np.random.Generator) -> list[bytes]:
    size, at, pieces = int(random.choice([1, 3, 30, 1_000])), 0, []
    while at < len(data):
        count = int(random.integers(1, size + 1))
        pieces.append(data[at : at + count])
        at += count
    return pieces


def _follow(pieces: Iterable[bytes], method: str, *, is_past: bool) -> tuple[object, ...]:
    """All that a reader is told of an answer and of its connection, which closes at the end."""
    http, body, others = UpstreamHttp(65_536), b"", list[str]()
    http.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    http.send(h11.EndOfMessage())
    for piece in [*pieces, b""]:
        content, rest = http.split_content(piece) if is_past and piece else (b"", piece)
        body += content
        if rest or not piece:
            http.receive_data(rest)
        try:
            while (event := http.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                if isinstance(event, h11.Data):
                    body += bytes(event.data)
                    continue
                others.append(repr(event))
                if isinstance(event, h11.ConnectionClosed):
                    break
        except h11.RemoteProtocolError:
            others.append("error")
            break
    return body, others, http.states, http.trailing_data


@pytest.mark.parametrize("seed", range(400))
def test_odd_answers_are_read_as_the_parser_reads_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    pieces = _cut_finely(_write_odd(random), random)
    method = str(random.choice(["GET", "HEAD", "POST"]))
    assert _follow(pieces, method, is_past=True) == _follow(pieces, method, is_past=False)

"""What a body may cost to take apart; counted in chunks, not in seconds."""

from itertools import cycle

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.http.metered import Account, MeteredConnection

_HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


class Generous(Account):
    """An account for those who send single bytes on purpose."""

    @property
    def is_overdrawn(self) -> bool:
        return False


def _connection(head: bytes = _CHUNKED) -> MeteredConnection:
    connection = MeteredConnection(16_384)
    connection.receive_data(head)
    assert isinstance(connection.next_event(), h11.Request)
    return connection


def _chunk(size: int) -> bytes:
    return b"%x\r\n%s\r\n" % (size, bytes(size))


def _read_all(connection: MeteredConnection) -> None:
    while connection.next_event() is not h11.NEED_DATA:
        pass


def _content_until_refused(connection: MeteredConnection, read: bytes, max_reads: int) -> int:
    """Bytes that came through before the connection was refused."""
    for _ in range(max_reads):
        connection.receive_data(read)
        try:
            _read_all(connection)
        except h11.RemoteProtocolError:
            return connection.account.content_bytes
    pytest.fail("It was not refused.")


@pytest.mark.parametrize("chunks_a_read", [1, 2_700])
def test_chunks_of_one_byte_are_refused_soon(chunks_a_read: int) -> None:
    content = _content_until_refused(_connection(), _chunk(1) * chunks_a_read, 10_000)
    assert 70 < content < 250


def test_a_length_and_single_bytes_are_refused_soon() -> None:
    connection = _connection(_HEAD + b"Content-Length: 10000000\r\n\r\n")
    assert 70 < _content_until_refused(connection, b"a", 10_000) < 250


def test_long_extensions_count_as_framing() -> None:
    chunk = b"1;" + b"x" * 200 + b"\r\na\r\n"
    assert _content_until_refused(_connection(), chunk * 10, 100) < 200


@pytest.mark.parametrize(("size", "chunks_a_read"), [(64, 200), (128, 1), (512, 1), (8_192, 1)])
def test_chunks_of_honest_clients_are_never_refused(size: int, chunks_a_read: int) -> None:
    connection = _connection()
    for _ in range(2_000_000 // size // chunks_a_read):
        connection.receive_data(_chunk(size) * chunks_a_read)
        _read_all(connection)
    assert connection.account.content_bytes >= 1_900_000


def test_a_slow_phone_in_small_packets_is_never_refused() -> None:
    connection = _connection(_HEAD + b"Content-Length: 10000000\r\n\r\n")
    for _ in range(10_000_000 // 400):
        connection.receive_data(bytes(400))
        assert isinstance(connection.next_event(), h11.Data)
    assert not connection.account.is_overdrawn


def test_each_request_has_an_account_of_its_own() -> None:
    connection = _connection()
    for _ in range(20):
        connection.receive_data(_chunk(1) * 100 + b"0\r\n\r\n")
        while not isinstance(connection.next_event(), h11.EndOfMessage):
            pass
        connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
        connection.send(h11.EndOfMessage())
        connection.start_next_cycle()
        connection.receive_data(_CHUNKED)
        assert isinstance(connection.next_event(), h11.Request)
    assert connection.account == Account()


@pytest.mark.parametrize(
    "start",
    [
        _HEAD + b"X:" + b" " * 200_000 + b"\0\r\n\r\n",
        _HEAD + b"X:" + b"\t " * 8_000 + b"\0\r\n\r\n",
        _HEAD + b"X: " + b"a" * 17_000 + b"\r\n\r\n",
    ],
)
def test_heads_that_h11_would_read_slowly_do_not_reach_it(start: bytes) -> None:
    connection = MeteredConnection(16_384)
    connection.receive_data(start)
    with pytest.raises(h11.RemoteProtocolError, match="head"):
        connection.next_event()
    assert connection.their_state is h11.IDLE
    assert connection.is_unread()


@pytest.mark.parametrize(
    "body",
    [
        b"1;" + b" " * 200_000 + b"\n;\r\na\r\n",
        b"1;" + b" " * 2_000,
        b"1\r\na\r\n1;" + b" " * 2_000 + b"\n;\r\na\r\n",
        b"0\r\nX:" + b" " * 200_000 + b"\0\r\n\r\n",
        b"1\r\na\r\n000;x\r\nX:" + b" " * 2_000 + b"\0\n\n",
    ],
)
def test_chunk_lines_and_trailers_that_h11_would_read_slowly_do_not_reach_it(body: bytes) -> None:
    connection = _connection()
    connection.receive_data(body)
    with pytest.raises(h11.RemoteProtocolError, match=r"chunk line|trailer"):
        _read_all(connection)


def test_short_extensions_and_trailers_are_read() -> None:
    connection = _connection()
    connection.receive_data(b"1;a=b\r\nx\r\n0\r\nX: y\r\n\r\n" + _CHUNKED)
    assert isinstance(connection.next_event(), h11.Data)
    assert isinstance(connection.next_event(), h11.EndOfMessage)


def _content(connection: MeteredConnection, reads: list[bytes]) -> bytes:
    """What the body holds, read until its end."""
    content = b""
    for read in reads:
        connection.receive_data(read)
        while (event := connection.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.EndOfMessage):
                return content
            content += event.data
    pytest.fail("It did not end.")


@given(
    st.lists(st.integers(1, 900), min_size=1, max_size=12),
    st.lists(st.integers(1, 600), min_size=1),
    st.sampled_from([b"", b";a=b", b" "]),
    st.sampled_from([b"", b"X: y\r\n"]),
)
def test_however_a_body_is_cut_into_chunks_and_reads_it_is_the_same(
    chunks: list[int], reads: list[int], extension: bytes, trailer: bytes
) -> None:
    sent = b"".join(b"%x%s\r\n%s\r\n" % (size, extension, b"\0" * size) for size in chunks)
    left, sizes = sent + b"0%s\r\n%s\r\n" % (extension, trailer), cycle(reads)
    cut = []
    while left:
        size = next(sizes)
        cut.append(left[:size])
        left = left[size:]
    connection = _connection()
    connection.account = Generous()
    assert _content(connection, cut) == bytes(sum(chunks))


def test_every_place_where_a_read_may_end_is_known() -> None:
    sent = b"190;a\r\n%s\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n" % bytes(400)
    for at in range(1, len(sent)):
        assert _content(_connection(), [sent[:at], sent[at:]]) == bytes(400) + b"abc"


def test_a_trailer_is_short_wherever_a_read_ends() -> None:
    trailer = b"A: b\r\nX:" + b" " * 16_000 + b"\0\r\n\r\n"
    for start in (b"0\r\n", b"1\r\na\r\n0\r\n", b"0\r\nA:"):
        connection = _connection()
        connection.receive_data(start)
        _read_all(connection)
        connection.receive_data(trailer)
        with pytest.raises(h11.RemoteProtocolError, match="trailer"):
            _read_all(connection)


def test_an_answer_before_the_end_of_the_body_says_that_it_is_the_last() -> None:
    answer = h11.Response(status_code=404, headers=[("Content-Length", "0")])
    assert b"connection: close" in _connection().send(answer).lower()
    whole = _connection()
    whole.receive_data(b"0\r\n\r\n")
    whole.next_event()
    assert b"connection" not in whole.send(answer).lower()


@pytest.mark.parametrize(
    ("framing", "is_plain"),
    [(b"Content-Length: 5", True), (b"Transfer-Encoding: chunked", False)],
)
def test_a_body_is_plain_where_its_length_was_said_before(framing: bytes, is_plain: bool) -> None:
    connection = MeteredConnection(1_000)
    assert not connection.is_in_plain_body
    connection.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
    connection.next_event()
    assert connection.is_in_plain_body is is_plain
    connection.receive_data(b"hello" if is_plain else b"5\r\nhello\r\n0\r\n\r\n")
    while not isinstance(connection.next_event(), h11.EndOfMessage):
        pass
    assert not connection.is_in_plain_body


@pytest.mark.parametrize("version", [b"0.9", b"1.2", b"2.0", b"9.9"])
def test_a_request_of_another_version_is_refused(version: bytes) -> None:
    connection = MeteredConnection(16_384)
    connection.receive_data(b"GET / HTTP/" + version + b"\r\nHost: a\r\n\r\n")
    with pytest.raises(h11.RemoteProtocolError, match="version"):
        connection.next_event()


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_a_request_of_a_known_version_is_read(version: bytes) -> None:
    connection = _connection(b"GET / HTTP/" + version + b"\r\nHost: a\r\n\r\n")
    assert isinstance(connection.next_event(), h11.EndOfMessage)

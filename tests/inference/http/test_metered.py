"""What a body may cost to take apart; counted in chunks, not in seconds."""

import h11
import pytest

from inference.http.metered import Account, MeteredConnection

_HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


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


def _content_until_refused(connection: MeteredConnection, read: bytes, most_reads: int) -> int:
    """Bytes that came through before the connection was refused."""
    for _ in range(most_reads):
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


def test_an_answer_before_the_end_of_the_body_says_that_it_is_the_last() -> None:
    answer = h11.Response(status_code=404, headers=[("Content-Length", "0")])
    assert b"connection: close" in _connection().send(answer).lower()
    whole = _connection()
    whole.receive_data(b"0\r\n\r\n")
    whole.next_event()
    assert b"connection" not in whole.send(answer).lower()

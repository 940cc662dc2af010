"""Whoever is answered before the end of the request reads that, and may not go on."""

from contextlib import suppress

import pytest

from store.http.metered import MeteredConnection
from tests.inference.http.conftest import Serve, read_all
from tests.inference.http.connections.requests_in_bytes import (
    LONG,
    UPLOAD,
    read_one_answer,
    send_until_closed,
)
from tests.waiting import wait_for


@pytest.mark.parametrize("path", [b"/v1/parse", b"/nothing", b"/healthz"])
@pytest.mark.parametrize(
    "framing", [b"Content-Length: 100000000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"]
)
def test_whoever_is_answered_early_is_told_that_it_was_the_last_and_may_not_go_on(
    serve: Serve, path: bytes, framing: bytes
) -> None:
    served = serve(max_upload_bytes=1_000)
    with served.connect() as connection:
        connection.sendall(UPLOAD.replace(b"/v1/parse", path) + framing)
        if path == b"/v1/parse" and b"chunked" in framing:
            # It may be refused, and the connection closed, before all of it is sent.
            with suppress(ConnectionError):
                connection.sendall(b"fffff\r\n" + bytes(0xFFFFF) + b"\r\n")
        assert b"connection: close" in read_one_answer(connection).lower()
        assert read_all(connection) == b""
        send_until_closed(connection, bytes(100_000))
    wait_for(lambda: served.closed("endless") == 1)


def test_whoever_hangs_on_after_an_early_answer_is_closed(serve: Serve) -> None:
    served = serve(max_upload_bytes=1_000, idle_seconds=LONG)
    with served.connect() as connection:
        connection.sendall(UPLOAD + b"Content-Length: 100000000000\r\n\r\n")
        assert read_one_answer(connection).startswith(b"HTTP/1.1 413 ")
        wait_for(lambda: served.closed("endless") == 1)
    wait_for(lambda: served.connections == 0)


def test_nothing_that_comes_after_an_early_answer_is_parsed(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = []

    def noticed(connection: MeteredConnection, data: bytes) -> None:
        parsed.append(data)
        receive_data(connection, data)

    receive_data = MeteredConnection.receive_data
    monkeypatch.setattr(MeteredConnection, "receive_data", noticed)
    served = serve()
    head = UPLOAD.replace(b"/v1/parse", b"/nothing") + b"Transfer-Encoding: chunked\r\n\r\n"
    with served.connect() as connection:
        connection.sendall(head)
        assert read_one_answer(connection).startswith(b"HTTP/1.1 404 ")
        send_until_closed(connection, b"1\r\na\r\n" * 10_000)
    assert b"".join(parsed) == head


def test_whoever_is_refused_early_can_read_that(serve: Serve) -> None:
    """The whole body is sent before the answer is read, as many clients do."""
    served = serve(max_upload_bytes=1_000_000)
    served.set_limits(parting_seconds=LONG)
    with served.connect() as connection:
        connection.sendall(UPLOAD + b"Content-Length: 1900000\r\n\r\n" + bytes(1_900_000))
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(b"}")
    assert served.closed("endless") == 0

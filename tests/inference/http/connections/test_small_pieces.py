"""Single bytes with a frame each cost the connection; small pieces of honest clients do not."""

import socket
from threading import Event

import pytest

from detectors.parsing import Image
from tests.inference.http.conftest import Encode, Serve, block, part
from tests.inference.http.connections.requests_in_bytes import (
    CHUNKED,
    CLOSE,
    UPLOAD,
    read_in_flight,
    read_one_answer,
    send_until_closed,
)
from tests.waiting import wait_for


@pytest.mark.parametrize("path", [b"/v1/parse", b"/nothing"])
def test_single_bytes_with_a_frame_each_cost_the_connection(serve: Serve, path: bytes) -> None:
    served = serve()
    with served.connect() as connection:
        connection.sendall(CHUNKED.replace(b"/v1/parse", path))
        send_until_closed(connection, b"1\r\na\r\n" * 10_000)
    wait_for(lambda: served.closed("framing") + served.closed("endless") == 1)
    wait_for(lambda: served.connections == 0)
    wait_for(lambda: read_in_flight(served) == 0)


def test_a_blocked_sender_does_not_get_further_with_single_bytes(serve: Serve) -> None:
    served = serve(refusal_pause_seconds=10)
    block(served.service, "ip:127.0.0.1")
    nothing = UPLOAD + CLOSE + b"Content-Length: 0\r\n\r\n"
    assert b"urn:maskwatch:problem:blocked" in served.say(nothing)
    with served.connect() as connection:
        connection.sendall(CHUNKED)
        send_until_closed(connection, b"1\r\na\r\n" * 10_000)
    wait_for(lambda: served.closed("framing") == 1)
    served.server.force_exit = True  # without the answer that is held back for whoever is gone


@pytest.mark.parametrize("size", [128, 512, 4_096, 8_192])
def test_an_upload_that_is_streamed_in_small_chunks_is_taken(
    serve: Serve, figure: Image, encode: Encode, size: int
) -> None:
    picture = encode(figure) + bytes(1_000_000)
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    pieces = [head, *(picture[at : at + size] for at in range(0, len(picture), size)), b"\r\n--b--"]
    with serve().connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(CHUNKED)
        for piece in pieces:
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")
        assert read_one_answer(connection).startswith(b"HTTP/1.1 200 ")


def test_a_slow_phone_that_sends_in_small_packets_is_answered(
    serve: Serve, figure: Image, encode: Encode
) -> None:
    form = part(b'form-data; name="file"; filename="a.png"', encode(figure)) + b"--b--\r\n"
    with serve().connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(UPLOAD + b"Content-Length: %d\r\n\r\n" % len(form))
        for at in range(0, len(form), 400):
            connection.sendall(form[at : at + 400])
            Event().wait(0.001)  # or the system would join the packets
        assert read_one_answer(connection).startswith(b"HTTP/1.1 200 ")

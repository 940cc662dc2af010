"""Requests in bytes, and how to send them and read their answers."""

import socket
from contextlib import suppress
from threading import Event, Thread

from tests.inference.http.conftest import Served

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
UPLOAD = b"POST /v1/parse HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
CHUNKED = UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSE = b"Connection: close\r\n"
LONG = 3600


def dribble(connection: socket.socket, byte: bytes, over: Event) -> Thread:
    """Send a byte every few milliseconds, for as long as the other side takes them."""

    def send() -> None:
        while not over.wait(0.01):
            try:
                connection.sendall(byte)
            except OSError:
                return

    thread = Thread(target=send)
    thread.start()
    return thread


def read_one_answer(connection: socket.socket) -> bytes:
    """One answer, which says how long it is."""
    with connection.makefile("rb") as stream:
        head = b"".join(iter(stream.readline, b"\r\n"))
        length = next(line for line in head.splitlines() if line.startswith(b"content-length: "))
        return head + stream.read(int(length.partition(b" ")[2]))


def read_in_flight(served: Served) -> float | None:
    return served.service.metrics.registry.get_sample_value("maskwatch_in_flight")


def send_until_closed(connection: socket.socket, data: bytes) -> None:
    """Send the same again and again until the other side does not take it any more."""
    with suppress(ConnectionResetError, BrokenPipeError):
        while True:
            connection.sendall(data)

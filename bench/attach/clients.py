"""Clients that time what they are answered."""

import socket
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from time import monotonic, perf_counter

from websockets.sync.client import connect

from bench.attach.sides import Side
from bench.attach.upstream import EVENTS, LARGE_BYTES
from detectors.errors import MaskwatchError

_TIMEOUT_SECONDS = 120
_READ_BYTES = 1_000_000
_LOOKS = 20
_MESSAGE = bytes(1_000)


class WrongAnswer(MaskwatchError):
    """A side answered something else than the upstream sent."""


def time_pages(side: Side, requests: int) -> list[float]:
    """Milliseconds of each of some small requests over one connection."""
    with closing(HTTPConnection("127.0.0.1", side.port, timeout=_TIMEOUT_SECONDS)) as connection:
        return [_time_page(connection) for _ in range(requests)]


def download(side: Side, look: Callable[[], None]) -> float:
    """Megabytes a second of one large answer; ``look`` is called now and then while it comes."""
    buffer, received, next_look = bytearray(_READ_BYTES), 0, 0
    with socket.create_connection(("127.0.0.1", side.port), _TIMEOUT_SECONDS) as connection:
        begin = perf_counter()
        connection.sendall(b"GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while size := connection.recv_into(buffer):
            received += size
            if received >= next_look:
                look()
                next_look += LARGE_BYTES // _LOOKS
        seconds = perf_counter() - begin
    if received < LARGE_BYTES:
        raise WrongAnswer(f"A download of {LARGE_BYTES} bytes ended after {received}.")
    return received / 1e6 / seconds


def time_events(side: Side) -> list[float]:
    """Milliseconds from when each event was sent until it was here."""
    delays = []
    with closing(HTTPConnection("127.0.0.1", side.port, timeout=_TIMEOUT_SECONDS)) as connection:
        connection.request("GET", "/events")
        answer = connection.getresponse()
        while line := answer.readline():
            if line.startswith(b"data: "):
                delays.append(1000 * (monotonic() - float(line.removeprefix(b"data: "))))
    if len(delays) != EVENTS:
        raise WrongAnswer(f"Of {EVENTS} events {len(delays)} came.")
    return delays


def time_echoes(side: Side, messages: int) -> list[float]:
    """Milliseconds of each of some round trips over a WebSocket."""
    url = f"ws://127.0.0.1:{side.port}/echo"
    with connect(url, proxy=None, compression=None) as client:
        times = []
        for _ in range(messages):
            begin = perf_counter()
            client.send(_MESSAGE)
            client.recv()
            times.append(1000 * (perf_counter() - begin))
    return times


def _time_page(connection: HTTPConnection) -> float:
    begin = perf_counter()
    connection.request("GET", "/page")
    if connection.getresponse().read() != b"ok":
        raise WrongAnswer("The page is not the upstream's.")
    return 1000 * (perf_counter() - begin)

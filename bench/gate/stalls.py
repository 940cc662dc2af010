"""How long one hostile sender keeps all others waiting: the slowest ``/healthz`` meanwhile."""

import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter
from urllib.parse import urlsplit

from bench.gate.service import RunningService, running_service
from bench.report import Figures, publish
from inference.settings import ServiceSettings
from store.decisions.decisions import NewDecision, add_decision
from store.decisions.scopes import Kind, Scope
from store.engine.start import open_database

_BLOCKED = "203.0.113.66"
_PROBE_PAUSE_SECONDS = 0.02
_TIMEOUT_SECONDS = 120.0
_NO_LINGER = struct.pack("ii", 1, 0)
_NOBODY = "nobody"
Address = tuple[str, int]


@dataclass(frozen=True)
class Hostile:
    """A kind of sender: what it says first, what it goes on saying, and from how many sockets.

    Attributes:
        piece: what is said again and again; a request that is whole has none.
        size: bytes of it that go out in one call.
    """

    start: bytes
    piece: bytes = b""
    senders: int = 1
    size: int = 60_000

    def burst(self) -> bytes:
        """As many pieces as go out in one call."""
        return self.piece * max(1, self.size // max(1, len(self.piece)))


def _head(path: str, *headers: str, sender: str = "198.51.100.7") -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: a", f"X-Forwarded-For: {sender}", *headers)
    return "\r\n".join((*lines, "", "")).encode()


def _form(kind: str, parts: bytes) -> bytes:
    body = parts + b"--b--\r\n"
    length = f"Content-Length: {len(body)}"
    return _head("/v1/parse", f"Content-Type: multipart/form-data; {kind}", length) + body


def _json(body: bytes) -> bytes:
    length = f"Content-Length: {len(body)}"
    return _head("/v1/parse", "Content-Type: application/json", length) + body


def _field(name: str, value: bytes) -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + value + b"\r\n"


_MULTIPART = "Content-Type: multipart/form-data; boundary=b"
_CHUNKED = "Transfer-Encoding: chunked"
_ENDLESS = "Content-Length: 100000000000"
_ONE_BYTE = b"1\r\na\r\n"

# They take half a second and fifty megabytes to make: each is made where it is sent.
HOSTILE: dict[str, Callable[[], Hostile]] = {
    _NOBODY: lambda: Hostile(b"", senders=0),
    "punycode_form": lambda: Hostile(
        _form("charset=punycode; boundary=b", _field("x0-", b"a" * 1_000_000))
    ),
    "many_fields": lambda: Hostile(_form("boundary=b", _field("x", b"a") * 150_000)),
    "near_boundaries": lambda: Hostile(
        _form("boundary=b", b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"'
              b"\r\n\r\n" + b"\r\n--bx" * 1_500_000 + b"\r\n")
    ),
    "json_names": lambda: Hostile(
        _json(b"{" + b",".join(b'"%d":1' % n for n in range(1_000_000)) + b"}")
    ),
    "json_numbers": lambda: Hostile(_json(b'{"image":[' + b"1," * 10_000_000 + b"1]}")),
    "one_byte_chunks": lambda: Hostile(_head("/v1/parse", _MULTIPART, _CHUNKED), _ONE_BYTE),
    "one_byte_chunks_x8": lambda: Hostile(_head("/v1/parse", _MULTIPART, _CHUNKED), _ONE_BYTE, 8),
    "chunk_extension": lambda: Hostile(
        _head("/v1/parse", _MULTIPART, _CHUNKED) + b"1;" + b" " * 15_000 + b"\n;\r\na\r\n"
    ),
    "blank_header": lambda: Hostile(_head("/v1/parse", "X: " + " " * 15_000 + "\0")),
    "one_byte_segments_x8": lambda: Hostile(
        _head("/v1/parse", _MULTIPART, _ENDLESS), b"a", 8, size=1
    ),
    "unknown_path_x8": lambda: Hostile(_head("/nothing", _CHUNKED), _ONE_BYTE, 8),
    "blocked_sender_x8": lambda: Hostile(
        _head("/v1/parse", _MULTIPART, _CHUNKED, sender=_BLOCKED), _ONE_BYTE, 8
    ),
    "drained_bodies_x8": lambda: Hostile(
        _head("/nothing", _ENDLESS), bytes(1_000), 8, size=1_000_000
    ),
}  # fmt: skip


def measure_stalls(seconds: float) -> Figures:
    """The longest time of ``/healthz`` in milliseconds, alone and for each kind of sender."""
    with _service() as service:
        place = urlsplit(service.url)
        address = (str(place.hostname), int(place.port or 0))
        return {"stall_ms_max": {kind: _slowest(address, kind, seconds) for kind in HOSTILE}}


def publish_stalls(out: Path, seconds: float) -> None:
    """Measure and publish these figures alone."""
    publish("Stalls", measure_stalls(seconds), out)


@contextmanager
def _service() -> Iterator[RunningService]:
    """A service that has blocked one client and whose rate limit is in nobody's way."""
    with TemporaryDirectory(prefix="maskwatch-stalls-") as folder:
        settings = ServiceSettings(var_dir=Path(folder))
        database = open_database(settings)
        now = datetime.now(UTC)
        with database.write() as session:
            add_decision(session, _block(now), now)
        database.close()
        with running_service(VAR_DIR=folder, RATE_PER_SECOND="0") as service:
            yield service


def _block(now: datetime) -> NewDecision:
    return NewDecision(
        kind=Kind.BLOCK,
        scope=Scope.CLIENT,
        value=f"ip:{_BLOCKED}",
        scenario="by_hand",
        origin="analyst",
        reason="It is measured.",
        created_by="bench",
        until=now + timedelta(days=1),
    )


def _slowest(address: Address, kind: str, seconds: float) -> float:
    """Ask while the senders send; ends once ``/healthz`` answers without them."""
    with _run_senders(address, kind):
        times = list(_probe_until(address, perf_counter() + seconds))
    _probe(address)
    return max(times)


@contextmanager
def _run_senders(address: Address, kind: str) -> Iterator[None]:
    """Senders in a process of their own, so that they do not slow down whoever asks."""
    command = [sys.executable, "-m", "bench.gate.stalls", *map(str, address), kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        if process.stdout is not None:
            process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


def _probe_until(address: Address, deadline: float) -> Iterator[float]:
    pause = Event()
    while perf_counter() < deadline:
        yield _probe(address)
        pause.wait(_PROBE_PAUSE_SECONDS)


def _probe(address: Address) -> float:
    """Milliseconds of one question over a connection of its own."""
    start = perf_counter()
    connection = HTTPConnection(*address, timeout=_TIMEOUT_SECONDS)
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    connection.close()
    return (perf_counter() - start) * 1000


def _send_for_ever(address: Address, kind: Hostile) -> None:
    """Connect and send again and again, from each socket as fast as the service takes it."""
    for _ in range(kind.senders):
        Thread(target=_send, args=(address, kind)).start()
    print("sending", flush=True)


def _send(address: Address, kind: Hostile) -> None:
    burst = kind.burst()
    while True:
        with suppress(OSError):
            _one_connection(address, kind, burst)


def _one_connection(address: Address, kind: Hostile, burst: bytes) -> None:
    with socket.create_connection(address, timeout=1) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        connection.sendall(kind.start)
        while kind.piece:
            connection.sendall(burst)
        connection.settimeout(_TIMEOUT_SECONDS)
        connection.recv(65_536)


if __name__ == "__main__":
    _host, _port, _kind = sys.argv[1:]
    _send_for_ever((_host, int(_port)), HOSTILE[_kind]())

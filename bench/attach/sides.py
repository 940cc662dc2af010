"""The ways to the upstream, each a process of its own: none between, the relay, nginx."""

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent
from time import monotonic, sleep

import uvicorn
from starlette.types import Receive, Scope, Send

from bench.attach.upstream import build_upstream
from bench.free_ports import find_free_port
from detectors.errors import MaskwatchError
from inference.machine.allocator import give_large_blocks_back, keep_few_arenas
from inference.upstream.relay.forwarding import Forwarding
from inference.upstream.relay.listener import proxy_config
from inference.upstream.relay.relay import Relay
from inference.upstream.upstream_settings import UpstreamGroup
from store.configuration.network_groups import ConnectionsGroup
from store.http.protocol import connection_limits

_START_SECONDS = 30.0


class SideFailed(MaskwatchError):
    """A server did not start."""


@dataclass(frozen=True)
class Side:
    """One way to the upstream.

    Attributes:
        pid: of the process that passes on, or that of the upstream itself.
    """

    port: int
    pid: int


@contextmanager
def running_upstream() -> Iterator[Side]:
    """The upstream itself."""
    with _running(_serve_upstream) as side:
        yield side


@contextmanager
def running_relay(upstream: Side) -> Iterator[Side]:
    """The relay alone: no gate, no checks, no records."""
    with _running(_serve_relay, upstream.port) as side:
        yield side


@contextmanager
def running_nginx(upstream: Side) -> Iterator[Side | None]:
    """One worker of nginx, with the buffers it is fastest with; nothing without nginx."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        yield None
        return
    with TemporaryDirectory(prefix="maskwatch-bench-") as name:
        port = find_free_port()
        settings = Path(name) / "nginx.conf"
        settings.write_text(_nginx_settings(Path(name), port, upstream.port))
        command = [program, "-c", str(settings), "-e", "stderr"]
        process = subprocess.Popen(command)  # noqa: S603 - the system's own program
        try:
            _wait_for(port)
            yield Side(port, process.pid)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _nginx_settings(folder: Path, port: int, upstream_port: int) -> str:
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return dedent(
        f"""
        daemon off; worker_processes 1; pid {folder}/pid;
        events {{ worker_connections 256; }}
        http {{
        access_log off; {temporary}
        upstream service {{ server 127.0.0.1:{upstream_port}; keepalive 16; }}
        map $http_upgrade $connection_header {{ default upgrade; '' ''; }}
        server {{ listen 127.0.0.1:{port};
        location / {{ proxy_pass http://service; proxy_http_version 1.1; proxy_buffer_size 64k;
        proxy_buffers 16 64k; proxy_busy_buffers_size 256k; proxy_max_temp_file_size 0;
        proxy_set_header Host $host; proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_header; }} }}
        }}
        """
    )


@contextmanager
def _running(serve: Callable[..., None], *args: int) -> Iterator[Side]:
    """A server in a fresh process, which listens before it is started."""
    with _listener() as listener:
        process = get_context("spawn").Process(target=serve, args=(listener, *args))
        process.start()
        try:
            port = int(listener.getsockname()[1])
            _wait_for_answer(port)
            yield Side(port, process.pid or 0)
        finally:
            process.terminate()
            process.join(timeout=30)


def _serve_upstream(listener: socket.socket) -> None:
    config = uvicorn.Config(
        build_upstream(),
        http="h11",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        log_config=None,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _serve_relay(listener: socket.socket, upstream_port: int) -> None:
    keep_few_arenas()
    give_large_blocks_back()
    group = UpstreamGroup(upstream=f"http://127.0.0.1:{upstream_port}")
    address, limits = group.upstream_address(), group.relay_limits()
    relay = Relay(address, Forwarding(address), limits)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await relay.forward_websocket(scope, receive, send)
        elif scope["type"] == "http":
            await relay.forward(scope, receive, send)

    config = proxy_config(
        app,
        connection_limits(ConnectionsGroup()),
        limits,
        idle_seconds=60,
        count_closed=lambda _why: None,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _listener() -> socket.socket:
    """A listener that names its protocol: only then asyncio switches Nagle's algorithm off.

    Else the second part of each answer would wait 40 ms for the peer's confirmation, and whatever
    a side adds would be hidden behind that.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


def _wait_for_answer(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), _START_SECONDS) as connection:
        connection.sendall(b"GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        if not connection.recv(1):
            raise SideFailed("A server of the measurement does not answer.")


def _wait_for(port: int) -> None:
    give_up_at = monotonic() + _START_SECONDS
    while monotonic() < give_up_at:
        try:
            _wait_for_answer(port)
        except ConnectionError:
            sleep(0.05)
        else:
            return
    raise SideFailed("nginx does not start.")

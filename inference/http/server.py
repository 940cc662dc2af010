"""Runs the service process."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread

import uvicorn

from inference.http.app import build_app
from inference.machine.allocator import give_large_blocks_back, keep_few_arenas
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from store.http.protocol import connection_limits, patient_protocol


def run(
    settings: ServiceSettings, listener: socket.socket, announce: Callable[[str], None]
) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` gets the base URL once the model is loaded.

    Raises:
        MaskwatchError: something that the service needs is not usable.
    """
    keep_few_arenas()
    give_large_blocks_back()
    with listener:
        service = build_service(settings)
        host, port = listener.getsockname()[:2]
        try:
            with on_hangup(service.models.ask):
                service.models.start()
                announce(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
                uvicorn.Server(server_config(service)).run(sockets=[listener])
        finally:
            service.close()


@contextmanager
def on_hangup(act: Callable[[], None]) -> Iterator[None]:
    """Let SIGHUP call a function; only the main thread may listen to signals.

    Uvicorn takes SIGINT and SIGTERM and leaves this one alone. The function runs between any two
    steps of the main thread: it must not wait for a lock.
    """
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGHUP, lambda _number, _frame: act())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def server_config(service: Service) -> uvicorn.Config:
    """How uvicorn serves: quietly, and with limits on what a peer may cost."""
    connections = service.settings.connections
    closed = service.metrics.closed_connections
    return uvicorn.Config(
        build_app(service),
        http=patient_protocol(connection_limits(connections), lambda why: closed.labels(why).inc()),
        # An upgraded connection would be out of reach of these limits.
        ws="none",
        timeout_keep_alive=connections.idle_seconds,
        log_config=None,
        # Its warnings are about what peers send: a flood would fill the log with them.
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )

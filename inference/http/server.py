"""Runs the service process."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread

import uvicorn

from inference.allocator import give_large_blocks_back, keep_few_arenas
from inference.http.app import build_app
from inference.http.protocol import ConnectionLimits, patient_protocol
from inference.service import Service, build_service
from inference.settings import ServiceSettings

_MAX_HEADER_BYTES = 16_384
# So much may come after an answer, for so long: else a sender that does not read while it sends
# would not learn why it was refused.
_MAX_DRAINED_BYTES = 2_000_000
_PARTING_SECONDS = 2
_HOLD_SECONDS = 1
# A slow upload is answered 408; the connection is closed only if it hangs on after that.
_ANSWER_SECONDS = 5


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
    settings = service.settings
    limits = ConnectionLimits(
        header_seconds=settings.connections.header_seconds,
        body_seconds=settings.connections.body_seconds + _ANSWER_SECONDS,
        send_seconds=settings.connections.send_seconds,
        parting_seconds=_PARTING_SECONDS,
        hold_seconds=_HOLD_SECONDS,
        max_connections=settings.connections.max_connections,
        max_drained_bytes=_MAX_DRAINED_BYTES,
        max_head_bytes=_MAX_HEADER_BYTES,
    )
    return uvicorn.Config(
        build_app(service),
        http=patient_protocol(limits, service.metrics),
        # An upgraded connection would be out of reach of these limits.
        ws="none",
        timeout_keep_alive=settings.connections.idle_seconds,
        log_config=None,
        # Its warnings are about what peers send: a flood would fill the log with them.
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )

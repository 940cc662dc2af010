"""Runs the service process."""

import errno
import socket
from collections.abc import Callable

import uvicorn

from detectors.errors import MaskwatchError
from inference.http.app import build_app
from inference.service import build_service
from inference.settings import ServiceSettings


class AddressInUse(MaskwatchError):
    """The service cannot listen where it should."""


def run(settings: ServiceSettings, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` gets the base URL once the model is loaded.

    Raises:
        MaskwatchError: something that the service needs is not usable.
    """
    listener = listen(settings.host, settings.port)
    service = build_service(settings)
    host, port = listener.getsockname()[:2]
    announce(f"http://{host}:{port}")
    config = uvicorn.Config(
        build_app(service),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        service.close()


def listen(host: str, port: int) -> socket.socket:
    """A bound socket.

    Raises:
        AddressInUse: another program has the port, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        why = (
            "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        )
        raise AddressInUse(
            f"The address {host}:{port} {why}: set MASKWATCH_PORT or MASKWATCH_HOST to another."
        ) from None
    return listener

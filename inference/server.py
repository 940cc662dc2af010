"""Runs the service process."""

import socket
from collections.abc import Callable

import uvicorn

from inference.http.app import build_app
from inference.service import build_service
from inference.settings import ServiceSettings


def run(
    settings: ServiceSettings, listener: socket.socket, announce: Callable[[str], None]
) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` gets the base URL once the model is loaded.

    Raises:
        MaskwatchError: something that the service needs is not usable.
    """
    with listener:
        service = build_service(settings)
        host, port = listener.getsockname()[:2]
        announce(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
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

"""Runs the proxy process."""

import socket
import sys
from collections.abc import Callable

import uvicorn

from inference.http.proxy.app import build_proxy_app
from inference.machine.allocator import give_large_blocks_back, keep_few_arenas
from inference.proxy_wiring import build_proxy
from inference.proxying import Proxy
from inference.settings import ProxySettings
from inference.upstream.relay.listener import proxy_config
from store.http.protocol import connection_limits

# The thread that checks beside the traffic keeps the interpreter for so long while the loop wants
# it, and an upload wants it dozens of times: by the default of 5 ms each it would wait for checks.
_SWITCH_SECONDS = 0.0001


def run(settings: ProxySettings, listener: socket.socket, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` gets the base URL.

    Raises:
        MaskwatchError: something that the proxy needs is not usable.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    keep_few_arenas()
    give_large_blocks_back()
    with listener:
        proxy = build_proxy(settings)
        host, port = listener.getsockname()[:2]
        try:
            announce(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
            uvicorn.Server(server_config(proxy)).run(sockets=[listener])
        finally:
            proxy.close()


def server_config(proxy: Proxy) -> uvicorn.Config:
    """How uvicorn serves, with limits on what a peer may cost."""
    connections = proxy.settings.connections
    closed = proxy.service.metrics.closed_connections
    return proxy_config(
        build_proxy_app(proxy),
        connection_limits(connections),
        proxy.settings.relay.relay_limits(),
        idle_seconds=connections.idle_seconds,
        count_closed=lambda why: closed.labels(why).inc(),
    )

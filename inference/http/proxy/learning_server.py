"""Runs the process that learns a preset: without a database, a gate or records."""

import socket
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

import uvicorn

from detectors.errors import MaskwatchError
from inference.http.proxy.learning import LearningApp, build_learning_app
from inference.settings import ProxySettings
from inference.upstream.learning.collector import Collector
from inference.upstream.learning.learn import Lesson
from inference.upstream.relay.forwarding import Forwarding
from inference.upstream.relay.listener import proxy_config
from inference.upstream.relay.relay import Relay
from inference.upstream.requests.sent_request import RequestLimits
from inference.upstream.upstream_settings import SentHost
from store.http.protocol import connection_limits


class NotLoopback(MaskwatchError):
    """What is not gated is not for other machines."""


def check_loopback(host: str) -> None:
    """Refuse an address that other machines reach.

    Raises:
        NotLoopback: it is one, or a name.
    """
    try:
        is_loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise NotLoopback(
            f"While it learns, nothing is gated, so {host} cannot be listened on: set "
            "MASKWATCH_HOST to 127.0.0.1."
        )


def learn(
    settings: ProxySettings,
    listener: socket.socket,
    requests: int,
    announce: Callable[[str], None],
) -> Lesson:
    """Pass everything on until there are as many requests with pictures, or SIGINT.

    Args:
        announce: gets the base URL.

    Raises:
        MaskwatchError: no upstream is named.
    """
    limits = RequestLimits(settings.gate.max_upload_bytes)
    collector = Collector(limits, requests, settings.attach.max_waiting_bytes)
    server = build_learning_server(settings, collector)
    with listener:
        host, port = listener.getsockname()[:2]
        announce(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
        with suppress(KeyboardInterrupt):  # enough for who asked
            server.run(sockets=[listener])
    return collector.learn()


def build_learning_server(settings: ProxySettings, collector: Collector) -> uvicorn.Server:
    """A server that ends once the collector is full."""
    address = settings.relay.upstream_address()
    keeps_host = settings.relay.upstream_host is SentHost.CLIENT
    forwarding = Forwarding(address, settings.proxies.trusted_proxies, keeps_host=keeps_host)
    relay_limits = settings.relay.relay_limits()

    def end() -> None:
        server.should_exit = True

    app = LearningApp(
        Relay(address, forwarding, relay_limits),
        collector,
        # Base64 is longer than what it stands for.
        max_request_bytes=2 * settings.gate.max_upload_bytes,
        max_answer_bytes=settings.attach.max_answer_bytes,
        end=end,
    )
    config = proxy_config(
        build_learning_app(app),
        connection_limits(settings.connections),
        relay_limits,
        idle_seconds=settings.connections.idle_seconds,
        count_closed=lambda _why: None,
    )
    server = uvicorn.Server(config)
    return server

"""Ports that belong to a test for as long as it needs them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port of loopback on which nobody listens, and which the system gives to nobody else.

    A server that is told its number may bind it beside, for servers set ``SO_REUSEADDR``.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])

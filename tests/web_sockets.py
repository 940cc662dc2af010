"""WebSockets of another library: real servers, and a client that waits for them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from tests.waiting import PATIENCE_SECONDS

# The library gives up after ten or twenty seconds, in which a busy machine may do other things.
_PATIENT: Any = {
    "open_timeout": PATIENCE_SECONDS,
    "close_timeout": PATIENCE_SECONDS,
    "ping_interval": None,
}


@contextmanager
def serve_websockets(handle: Callable[[ServerConnection], None], **options: Any) -> Iterator[int]:
    """Run a server on loopback; gives its port."""
    server = serve(handle, "127.0.0.1", 0, **_PATIENT | options)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield int(server.socket.getsockname()[1])
    finally:
        server.shutdown()
        thread.join()


def open_websocket(url: str, **options: Any) -> ClientConnection:
    """A connection; whoever uses it closes it."""
    connection: ClientConnection = connect(url, proxy=None, **_PATIENT | options)
    return connection


def say_again(connection: ServerConnection) -> None:
    """Say again what is said."""
    for message in connection:
        connection.send(message)

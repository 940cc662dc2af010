"""Opens the ports that the processes listen on."""

import errno
import socket

from detectors.errors import MaskwatchError
from store.configuration.names import PREFIX


class AddressUnusable(MaskwatchError):
    """A process cannot listen where it should."""


def check_ports(service: tuple[str, int], dashboard: tuple[str, int]) -> None:
    """See that the service and the dashboard do not want one port of one host.

    Raises:
        AddressUnusable: they do.
    """
    host, port = service
    if port and service == dashboard:
        raise AddressUnusable(
            f"The service and the dashboard would both listen on {host}:{port}: set MASKWATCH_PORT "
            "or MASKWATCH_DASHBOARD_PORT to another port."
        )


def listen(host: str, port: int, prefix: str = "") -> socket.socket:
    """A listening socket; clients that are quicker than the process wait instead of failing.

    ``prefix`` stands before ``HOST`` and ``PORT`` in the names of the settings that are to blame.

    Raises:
        AddressUnusable: another program has the port, or the address is not this machine's.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise AddressUnusable(_why(host, port, PREFIX + prefix, error)) from None
    return listener


def _why(host: str, port: int, prefix: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use by another program: set {prefix}PORT to a free one."
        )
    return (
        f"{host}:{port} cannot be listened on ({error.strerror}): set {prefix}HOST or {prefix}PORT."
    )

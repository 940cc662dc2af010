"""Runs the dashboard process."""

import errno
import socket
from collections.abc import Callable
from datetime import datetime

import uvicorn

from dashboard.app import build_app
from dashboard.settings import DashboardSettings
from dashboard.sign_in import SIGN_IN
from dashboard.wiring import Parts, utc_now
from detectors.errors import MaskwatchError
from store.database import Database
from store.schema import ensure_current
from store.sign_in import issue_token

LOCAL_SUBJECT = "local"
_GRACE_SECONDS = 3


class DashboardAddressInUse(MaskwatchError):
    """The dashboard cannot listen where it should."""


def run(settings: DashboardSettings, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` gets a one-time link once the port is open.

    Raises:
        MaskwatchError: the port, the database or its schema is not usable.
    """
    listener = listen(settings)
    settings = settings.model_copy(update={"dashboard_port": listener.getsockname()[1]})
    database = Database.open(settings)
    try:
        ensure_current(database)
        app = build_app(Parts(settings, database))
        announce(new_link(settings, database, utc_now()))
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        listener.close()
        database.close()


def new_link(settings: DashboardSettings, database: Database, now: datetime) -> str:
    """A link that signs one browser in, once."""
    with database.write() as session:
        token = issue_token(session, LOCAL_SUBJECT, now, settings.link_valid())
    return f"{settings.public_url()}{SIGN_IN}?token={token}"


def listen(settings: DashboardSettings) -> socket.socket:
    """A listening socket: a browser that is quicker than the pages waits instead of failing.

    Raises:
        DashboardAddressInUse: another program has the port, or the address is not this machine's.
    """
    host, port = settings.dashboard_host, settings.dashboard_port
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise DashboardAddressInUse(_why(host, port, error)) from None
    return listener


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use by another program: "
            "set MASKWATCH_DASHBOARD_PORT to a free one."
        )
    return (
        f"The dashboard cannot listen on {host}:{port} ({error.strerror}): "
        "set MASKWATCH_DASHBOARD_HOST or MASKWATCH_DASHBOARD_PORT."
    )

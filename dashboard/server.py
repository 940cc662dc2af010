"""Runs the dashboard process."""

import os
import socket
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import structlog
import uvicorn
from starlette.types import ASGIApp

from dashboard.access.sign_in import SIGN_IN
from dashboard.app import build_app
from dashboard.settings import DashboardSettings
from dashboard.wiring import Parts, utc_now
from store.configuration.network_groups import ConnectionsGroup
from store.engine.database import Database
from store.engine.start import open_database
from store.http.protocol import connection_limits, patient_protocol
from store.http.websocket import PatientWebSocket
from store.people.sign_in import issue_token

_log = structlog.get_logger(__name__)
LOCAL_SUBJECT = "local"
_GRACE_SECONDS = 3
# Browsers ask again by themselves where a connection closes just as they ask: nothing is uploaded.
_BROWSER_IDLE_SECONDS = 5


def run(
    settings: DashboardSettings, listener: socket.socket, announce: Callable[[str], None]
) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` gets a one-time link.

    Raises:
        MaskwatchError: the database or its schema is not usable.
    """
    ensure_home(settings.store.var_dir)
    settings = settings.model_copy(update={"dashboard_port": listener.getsockname()[1]})
    with listener, closing(open_database(settings)) as database:
        app = build_app(Parts(settings, database))
        announce(new_link(settings, database, utc_now()))
        uvicorn.Server(_server_config(app, settings.connections)).run(sockets=[listener])


def _server_config(app: ASGIApp, connections: ConnectionsGroup) -> uvicorn.Config:
    """How uvicorn serves: quietly, and with the service's limits on what a peer may cost."""
    return uvicorn.Config(
        app,
        # Nobody reads figures of the dashboard.
        http=patient_protocol(connection_limits(connections), lambda _why: None),
        ws=PatientWebSocket,
        timeout_keep_alive=min(connections.idle_seconds, _BROWSER_IDLE_SECONDS),
        log_config=None,
        # Its warnings are about what peers send: a flood would fill the log with them.
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def ensure_home(folder: Path) -> None:
    """Name a folder that Streamlit looks for its settings in, where there is no home to look in.

    A user without an entry in the system's list, as containers have, and without ``HOME`` has none.
    With another user's, such as ``/root``, every page would be a fault.
    """
    if not _has_home():
        os.environ["HOME"] = str(folder.absolute())
        _log.info("no home folder: Streamlit looks for its files in the var folder")


def _has_home() -> bool:
    """Whether it can be told what a home folder holds, though it need not be there."""
    try:
        (Path.home() / ".streamlit" / "secrets.toml").stat()
    except FileNotFoundError:
        return True
    except (OSError, RuntimeError):
        return False
    return True


def new_link(settings: DashboardSettings, database: Database, now: datetime) -> str:
    """A link that signs one browser in, once."""
    with database.write() as session:
        token = issue_token(session, LOCAL_SUBJECT, now, settings.sign_in.link_valid())
    return f"{settings.dashboard.public_url()}{SIGN_IN}?token={token}"

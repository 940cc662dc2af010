"""A real PgBouncer in transaction mode, in front of the tests' PostgreSQL."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import AF_UNIX, socket
from tempfile import mkdtemp
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from store.settings import StoreSettings
from tests.waiting import wait_for

_PORT = 6432  # of the socket's name only: nothing listens on the network
# Any client may come in, as any user.
_CONFIG = """\
[databases]
* = host={server} user=postgres

[pgbouncer]
pool_mode = {mode}
default_pool_size = 8
auth_type = any
unix_socket_dir = {folder}
listen_port = {port}
logfile = {folder}/log
ignore_startup_parameters = {ignored}
"""


@contextmanager
def pgbouncer(server: Path, mode: str = "transaction", ignored: str = "") -> Iterator[Path]:
    """Run PgBouncer; yields the folder of its socket, which is a `host` for clients.

    Args:
        server: folder of the PostgreSQL server's socket.
        mode: of pooling.
        ignored: startup parameters that it swallows instead of refusing them.
    """
    program = find_pgbouncer()
    # Short, for the path of a socket; open, for root has to run it as the server's user.
    folder = Path(mkdtemp(prefix="maskwatch-pool-"))
    folder.chmod(0o777)
    config = folder / "pgbouncer.ini"
    config.write_text(
        _CONFIG.format(server=server, folder=folder, port=_PORT, mode=mode, ignored=ignored)
    )
    user = ["-u", server.owner()] if os.geteuid() == 0 else []
    with subprocess.Popen([program, "-q", *user, str(config)]) as process:
        try:
            wait_for(lambda: _accepts(folder / f".s.PGSQL.{_PORT}"))
            yield folder
        finally:
            process.terminate()
    shutil.rmtree(folder, ignore_errors=True)


def _accepts(path: Path) -> bool:
    """Whether somebody listens; a socket has a name a moment before."""
    with socket(AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def pooled(settings: StoreSettings, folder: Path, **query: str) -> StoreSettings:
    """The same database, reached through PgBouncer."""
    return with_query(settings, host=str(folder), port=str(_PORT), **query)


def with_query(settings: StoreSettings, **query: str) -> StoreSettings:
    """The same database with other parameters in its address."""
    url = make_url(settings.store.effective_database_url()).update_query_dict(query)
    address = SecretStr(url.render_as_string(hide_password=False))
    return settings.model_copy(update={"database_url": address})


def socket_folder(server: Any) -> Path:
    """Where an embedded PostgreSQL server's socket lies."""
    return Path(str(make_url(server.get_uri(driver="psycopg")).query["host"]))


def find_pgbouncer() -> str:
    """The program; without one the test is skipped, by name."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed: `make programs` installs it where it may")
    return program

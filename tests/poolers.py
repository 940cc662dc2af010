"""A real PgBouncer in transaction mode, in front of the tests' PostgreSQL."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

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
            wait_for((folder / f".s.PGSQL.{_PORT}").exists)
            yield folder
        finally:
            process.terminate()
    shutil.rmtree(folder, ignore_errors=True)


def pooled_url(folder: Path, name: str) -> str:
    """The address of a database behind PgBouncer."""
    return f"postgresql+psycopg://postgres@/{name}?host={folder}&port={_PORT}"


def find_pgbouncer() -> str:
    """The program; without one the test is skipped, by name."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed: `make programs` installs it where it may")
    return program

"""A real PgBouncer in transaction mode, in front of the embedded PostgreSQL."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from os import geteuid
from pathlib import Path
from tempfile import mkdtemp

from pydantic import SecretStr
from sqlalchemy import make_url

from bench.neighbours.whole import RunFailed, seconds_until
from store.settings import StoreSettings

SERVER_CONNECTIONS = 4
_PORT = 6432  # of the socket's name only: nothing listens on the network
_CONFIG = """\
[databases]
* = host={server} user=postgres

[pgbouncer]
pool_mode = transaction
default_pool_size = {connections}
auth_type = any
unix_socket_dir = {folder}
listen_port = {port}
logfile = {folder}/log
"""


@contextmanager
def running_pooler(settings: StoreSettings) -> Iterator[StoreSettings]:
    """Start PgBouncer; yields the same database, reached through it.

    Raises:
        RunFailed: it is not installed, or does not start.
    """
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        raise RunFailed("PgBouncer is not installed: this measurement needs it.")
    url = make_url(settings.store.effective_database_url())
    server = Path(str(url.query["host"]))
    # Short, for the path of a socket; open, for root has to run it as the server's user.
    folder = Path(mkdtemp(prefix="maskwatch-pool-"))
    folder.chmod(0o777)
    (folder / "pgbouncer.ini").write_text(
        _CONFIG.format(server=server, folder=folder, port=_PORT, connections=SERVER_CONNECTIONS)
    )
    user = ["-u", server.owner()] if geteuid() == 0 else []
    command = [program, "-q", *user, str(folder / "pgbouncer.ini")]
    with subprocess.Popen(command) as process:  # noqa: S603
        try:
            seconds_until((folder / f".s.PGSQL.{_PORT}").exists)
            through = url.update_query_dict({"host": str(folder), "port": str(_PORT)})
            address = SecretStr(through.render_as_string(hide_password=False))
            yield StoreSettings(var_dir=settings.store.var_dir, database_url=address)
        finally:
            process.terminate()
    shutil.rmtree(folder, ignore_errors=True)

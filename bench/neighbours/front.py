"""A real nginx in front of a service: one port for each form in which proxies name the client."""

import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import geteuid
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from bench.free_ports import find_free_port
from detectors.errors import MaskwatchError

_START_SECONDS = 30.0
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
READABLE: Mapping[str, str] = {
    "address": "X-Forwarded-For $remote_addr",
    "appended": "X-Forwarded-For $proxy_add_x_forwarded_for",
    "address_and_port": "X-Forwarded-For $remote_addr:$remote_port",
    "quoted": "X-Forwarded-For '\"$remote_addr\"'",
    "mapped": "X-Forwarded-For '[::ffff:$remote_addr]:$remote_port'",
    "forwarded": "Forwarded 'for=$remote_addr;proto=http'; proxy_set_header X-Forwarded-For ''",
}
"""Headers that name who connected, by the name of the form."""
UNREADABLE = "X-Forwarded-For 'somebody inside'"


class NginxMissing(MaskwatchError):
    """There is no nginx on this machine."""


@contextmanager
def running_front(service: str, headers: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Start nginx; yields the address that sets each header, by its name.

    Args:
        service: address of the service, as ``http://127.0.0.1:8080/v1/parse``.
        headers: what ``proxy_set_header`` is given.

    Raises:
        NginxMissing: it is not installed, or does not start.
    """
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        raise NginxMissing("nginx is not installed: this measurement needs it.")
    ports = {name: find_free_port() for name in headers}
    with TemporaryDirectory(prefix="maskwatch-front-") as name:
        settings = Path(name) / "nginx.conf"
        settings.write_text(_settings(Path(name), service.rsplit("/v1", 1)[0], headers, ports))
        process = subprocess.Popen([program, "-c", str(settings), "-e", "stderr"])  # noqa: S603
        try:
            for port in ports.values():
                _wait_for(port)
            yield {name: f"http://127.0.0.1:{port}/v1/parse" for name, port in ports.items()}
        finally:
            process.terminate()
            process.wait(timeout=30)


def _settings(
    folder: Path, service: str, headers: Mapping[str, str], ports: Mapping[str, int]
) -> str:
    temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in _TEMPORARY)
    # As root, its workers would be users that may not enter the folder.
    user = "user root;\n" if geteuid() == 0 else ""
    servers = "\n".join(
        f"server {{ listen 127.0.0.1:{ports[name]}; client_max_body_size 40m; location / {{ "
        f"proxy_pass {service}; proxy_set_header Host $host; proxy_set_header {header}; }} }}"
        for name, header in headers.items()
    )
    return (
        f"{user}daemon off;\npid {folder}/pid;\nevents {{ worker_connections 256; }}\n"
        f"http {{\naccess_log off;\n{temporary}\n{servers}\n}}\n"
    )


def _wait_for(port: int) -> None:
    deadline = monotonic() + _START_SECONDS
    while monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        sleep(0.05)
    raise NginxMissing(f"nginx does not listen on port {port}.")

"""The demo's stage: a database, ports and settings of its own, apart from any real installation."""

import os
import shutil
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import httpx2 as httpx

from detectors.errors import MaskwatchError
from store.configuration.names import PREFIX

_MARKER = "this-folder-belongs-to-the-demo"
_START_SECONDS = 120.0


class DemoFailed(MaskwatchError):
    """The demo cannot be set up."""


@dataclass(frozen=True)
class Stage:
    """Where the demo plays."""

    var_dir: Path
    port: int
    dashboard_port: int
    proxy_port: int
    page_port: int

    @property
    def service_url(self) -> str:
        """Where pictures go."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def proxy_url(self) -> str:
        """Where pictures for the page go."""
        return f"http://127.0.0.1:{self.proxy_port}"

    @property
    def page_url(self) -> str:
        """Where the page itself listens."""
        return f"http://127.0.0.1:{self.page_port}"

    @property
    def dashboard_url(self) -> str:
        """Where analysts look."""
        return f"http://127.0.0.1:{self.dashboard_port}"

    def environment(self) -> dict[str, str]:
        """The variables of the demo's processes: none of a real installation's settings remain."""
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith(PREFIX)
        }
        own = {
            "VAR_DIR": str(self.var_dir),
            "PORT": str(self.port),
            "TRUSTED_PROXIES": "127.0.0.1/32",
            # Enough ordinary pictures to look at; of what is flagged every one is kept.
            "EVIDENCE_SAMPLE_SHARE": "0.25",
            "DASHBOARD_PORT": str(self.dashboard_port),
            "DASHBOARD_URL": self.dashboard_url,
            "SIMULATE_BLOCKS": "false",
            # The story is too short to learn its drawn visitors: the shipped baseline counts.
            "LEARN_TRAFFIC": "false",
            # To a baseline of photos nearly all drawn figures are odd; the first look is enough.
            "ENSEMBLE": "sampled",
            # The story runs the jobs itself, at the moments that it tells of.
            "SCAN_INTERVAL_SECONDS": "3600",
            "ALERT_INTERVAL_SECONDS": "3600",
            "NOTIFY_INTERVAL_SECONDS": "3600",
        }
        return variables | _name_settings(own)

    def proxy_variables(self) -> dict[str, str]:
        """What the proxy's process has besides."""
        own = {"PORT": str(self.proxy_port), "UPSTREAM": self.page_url, "PRESET": "form"}
        return _name_settings(own)


def _name_settings(values: Mapping[str, str]) -> dict[str, str]:
    return {PREFIX + name: value for name, value in values.items()}


def prepare(var_dir: Path) -> Stage:
    """An empty folder and free ports; what an earlier demo left there is removed.

    Raises:
        DemoFailed: the folder holds something that is not the demo's.
    """
    if var_dir.exists():
        if any(var_dir.iterdir()) and not (var_dir / _MARKER).exists():
            raise DemoFailed(f"The folder {var_dir} is not the demo's: move it away first.")
        shutil.rmtree(var_dir)
    var_dir.mkdir(parents=True, mode=0o700)
    (var_dir / _MARKER).touch()
    ports = map(free_port, (8080, 8501, 8081, 5000))
    return Stage(var_dir, *ports)


def free_port(preferred_port: int) -> int:
    """The preferred port on loopback if it is free, else any that is.

    Raises:
        DemoFailed: there is none.
    """
    for port in (preferred_port, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoFailed("There is no free port on 127.0.0.1.")


def wait_until_up(urls: Mapping[str, str], check: Callable[[], None]) -> None:
    """Wait until every address answers; ``check`` raises when waiting has become useless.

    Raises:
        DemoFailed: one does not within two minutes.
    """
    deadline = monotonic() + _START_SECONDS
    for name, url in urls.items():
        while not _answers(url):
            if monotonic() > deadline:
                raise DemoFailed(f"The {name} did not start within two minutes at {url}.")
            check()
            sleep(0.2)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code < 500
    except httpx.TransportError:
        return False

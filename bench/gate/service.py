"""A real service in a process of its own, on a fresh database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.gate.processes import resident_mb, workers_of
from detectors.errors import MaskwatchError
from store.configuration.names import PREFIX

_SERVE = "from maskwatch.cli import main; main()"


class ServiceFailed(MaskwatchError):
    """The service did not start."""


@dataclass(frozen=True)
class RunningService:
    """Where the service is, and what the system says of its process."""

    url: str
    process: subprocess.Popen[str]

    def has_ended(self) -> bool:
        """Whether the process that was started is gone."""
        return self.process.poll() is not None

    def resident_mb(self) -> float:
        """Resident memory of the service process itself."""
        return resident_mb(self.process.pid)

    def workers(self) -> tuple[int, ...]:
        """Its decode workers."""
        return workers_of(self.process.pid)


@contextmanager
def running_service(command: str = "serve", **settings: str) -> Iterator[RunningService]:
    """Start a service, stop it at the end; clients are named by ``X-Forwarded-For``.

    Args:
        command: of ``maskwatch``: ``serve`` or ``proxy``.

    Raises:
        ServiceFailed: it does not start; its log says why.
    """
    variables = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    with TemporaryDirectory(prefix="maskwatch-bench-") as folder:
        own = {"VAR_DIR": folder, "PORT": "0", "TRUSTED_PROXIES": "127.0.0.1/32", **settings}
        log = Path(folder) / "service.log"
        with log.open("w") as errors:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-c", _SERVE, command],
                env=variables | {PREFIX + name: value for name, value in own.items()},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        try:
            yield RunningService(_announced_url(process, log), process)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _announced_url(process: subprocess.Popen[str], log: Path) -> str:
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith(("Service: ", "Proxy: ")):
        raise ServiceFailed(f"The service did not start: {log.read_text().strip()[-500:]}")
    return line.split()[1]

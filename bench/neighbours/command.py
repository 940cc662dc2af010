"""``python -m bench neighbours``."""

from pathlib import Path

from bench.neighbours.greylisting import measure_greylisting
from bench.neighbours.nginx import measure_nginx
from bench.report import Figures, publish


def measure_neighbours(hostile: Path, out: Path) -> None:
    """Senders behind nginx, then half a day of mail.

    Raises:
        NginxMissing: nginx is not installed.
        ServiceFailed: the service does not start.
    """
    figures: Figures = {**measure_nginx(hostile), **measure_greylisting()}
    publish("Neighbours", figures, out)

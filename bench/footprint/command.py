"""``python -m bench footprint``."""

from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.footprint.install import measure_base_install
from bench.footprint.sides import (
    make_stock,
    time_help,
    train,
    weigh_all,
    weigh_dashboard,
    weigh_jobs,
    weigh_service,
)
from bench.report import publish


def measure_footprint(out: Path, rounds: int, *, install: bool) -> None:
    """Measure and publish: medians, each round in processes of its own.

    With ``install`` also how much an environment with the base profile takes, once.

    Raises:
        CommandFailed: a process did not start, there is no browser, or pip cannot install.
    """
    services = [weigh_service() for _ in range(rounds)]
    figures = {
        "help_seconds": _median_of(time_help, rounds),
        "serve_rss_mb": median(megabytes for megabytes, _ in services),
        "serve_cold_start_seconds": median(seconds for _, seconds in services),
        "up_rss_mb": _median_of(weigh_all, rounds),
    }
    with TemporaryDirectory(prefix="maskwatch-bench-") as name:
        stock = Path(name)
        make_stock(stock)
        # The first model, or the next night's, is trained by the same process.
        figures["jobs_rss_mb_after_training"] = _median_of(lambda: weigh_jobs(stock), rounds)
        train(stock)
        figures["jobs_rss_mb"] = _median_of(lambda: weigh_jobs(stock), rounds)
        figures["dashboard_rss_mb"] = _median_of(lambda: weigh_dashboard(stock), rounds)
    if install:
        figures["base_install_mb"] = measure_base_install()
    publish("Footprint", figures | {"rounds": rounds}, out)


def _median_of(measure: Callable[[], float], rounds: int) -> float:
    return median(measure() for _ in range(rounds))

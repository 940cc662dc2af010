"""Every hostile file, sent to a real service."""

from collections import Counter
from pathlib import Path
from time import perf_counter

import httpx2 as httpx
import numpy as np

from bench.gate.hostile import hostile_files
from bench.gate.processes import is_alive
from bench.gate.service import RunningService, running_service
from bench.report import Figures
from inference.figures import draw_figure
from maskwatch.demo.pictures import encode

_SERVER_FAULT = 500
_TIMEOUT_SECONDS = 60
_WARM_UP = 80


def measure_over_http(folder: Path) -> Figures:
    """Statuses, restarts, leaked workers and memory of a service that gets every file once.

    Raises:
        DataMissing: the folder holds no files.
    """
    with running_service(RATE_PER_SECOND="0") as service, _client() as http:
        _warm_up(http, service)
        statuses: Counter[int] = Counter()
        milliseconds: list[float] = []
        before = service.resident_mb()
        for data in hostile_files(folder):
            start = perf_counter()
            statuses[_send(http, service, data)] += 1
            milliseconds.append((perf_counter() - start) * 1000)
        growth = service.resident_mb() - before
        restarts = int(service.has_ended())
        workers = service.workers()
    return {
        "service_restarts": restarts,
        "service_internal_errors": sum(n for code, n in statuses.items() if code >= _SERVER_FAULT),
        "service_worker_leaks": sum(map(is_alive, workers)),
        "service_growth_mb": growth,
        "service_p99_ms_hostile": float(np.percentile(milliseconds, 99)),
        "service_max_ms_hostile": max(milliseconds),
        "statuses": {str(code): number for code, number in sorted(statuses.items())},
    }


def _warm_up(http: httpx.Client, service: RunningService) -> None:
    """Pictures of many shapes: a model keeps something for each of the first that it sees."""
    for number in range(_WARM_UP):
        size = (96 + 8 * (number % 12), 64 + 8 * (number % 7))
        _send(http, service, encode(draw_figure(number, size).image, "", "PNG").data)


def _client() -> httpx.Client:
    return httpx.Client(timeout=_TIMEOUT_SECONDS)


def _send(http: httpx.Client, service: RunningService, data: bytes) -> int:
    """The status of the answer; 599 where there is none."""
    try:
        return http.post(service.url, files={"file": ("upload", data)}).status_code
    except httpx.TransportError:
        return 599

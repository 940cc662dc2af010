"""A flood on loopback: ten times as many senders as are worked on, a quarter of them hostile."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median
from time import perf_counter

import httpx2 as httpx
import numpy as np

from bench.gate.mutations import sample_mutations
from bench.gate.service import RunningService, running_service
from bench.report import Figures
from inference.figures import draw_figure
from inference.settings import ServiceSettings
from maskwatch.demo.pictures import encode, make_malformed

_TIMES_CONCURRENCY = 10
_HOSTILE_SHARE = 0.25
_UNLOADED_REQUESTS = 200
_OVERLOAD = {429, 503}
_REFUSED_FILES = {400, 413, 415, 422}
_RECOVERY_SECONDS = 30.0
# A sender that is refused comes back after this, whatever Retry-After says.
_IMPATIENCE_SECONDS = 0.05


@dataclass
class Tally:
    """What the senders saw."""

    accepted_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    memory_mb: list[float] = field(default_factory=list)

    def note(self, response: httpx.Response, milliseconds: float, *, hostile: bool) -> None:
        """One answer."""
        status = response.status_code
        self.statuses[status] += 1
        if status == 200:
            self.accepted_ms.append(milliseconds)
        elif status in _OVERLOAD:
            self.without_retry_after += "retry-after" not in response.headers
        elif not (hostile and status in _REFUSED_FILES):
            self.failures[str(status)] += 1


@dataclass(frozen=True)
class Sender:
    """A client of its own that sends as fast as it is let."""

    name: str
    http: httpx.AsyncClient
    url: str
    ordinary: Sequence[bytes]
    hostile: Sequence[bytes]
    tally: Tally

    async def send_until(self, deadline: float, random: Random) -> None:
        """Send ordinary and hostile files in a random order."""
        while perf_counter() < deadline:
            hostile = random.random() < _HOSTILE_SHARE
            await self._send(random.choice(self.hostile if hostile else self.ordinary), hostile)

    async def _send(self, data: bytes, hostile: bool) -> None:
        start = perf_counter()
        try:
            response = await post(self.http, self.url, data, self.name)
        except httpx.TransportError as error:
            name = f"{type(error).__name__} of a {'hostile' if hostile else 'plain'} file"
            self.tally.failures[name] += 1
            return
        self.tally.note(response, (perf_counter() - start) * 1000, hostile=hostile)
        if response.status_code in _OVERLOAD:
            await asyncio.sleep(_IMPATIENCE_SECONDS)


async def post(http: httpx.AsyncClient, url: str, data: bytes, client: str) -> httpx.Response:
    """Send one upload as a client."""
    headers = {"X-Forwarded-For": client}
    return await http.post(url, files={"file": ("upload", data)}, headers=headers)


def measure_flood(seconds: float) -> Figures:
    """Unloaded answers, then the flood, then how soon the service answers as before."""
    with running_service() as service:
        return asyncio.run(_flood(service, seconds))


async def _flood(service: RunningService, seconds: float) -> Figures:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=60, limits=limits) as http:
        ordinary = [encode(draw_figure(seed).image, "", "JPEG").data for seed in range(20)]
        idle_ms = await _measure_idle(http, service.url, ordinary)
        tally = await _run_flood(http, service, ordinary, seconds)
        recovery = await _recovery(http, service.url, ordinary[0], idle_ms)
    return _figures(idle_ms, tally, recovery, seconds)


async def _measure_idle(
    http: httpx.AsyncClient, url: str, ordinary: Sequence[bytes]
) -> list[float]:
    """Answers to one sender at a time, each request from a client of its own."""
    times = []
    for number in range(_UNLOADED_REQUESTS):
        start = perf_counter()
        client = f"198.51.100.{number % 250}"
        response = await post(http, url, ordinary[number % len(ordinary)], client)
        response.raise_for_status()
        times.append((perf_counter() - start) * 1000)
    return times


async def _run_flood(
    http: httpx.AsyncClient, service: RunningService, ordinary: Sequence[bytes], seconds: float
) -> Tally:
    tally, random = Tally(), Random(5)  # noqa: S311 - a repeatable order, no secret
    hostile = [*sample_mutations(50), *(picture.data for picture, _ in make_malformed(7))]
    deadline = perf_counter() + seconds
    senders = [
        Sender(f"203.0.113.{number}", http, service.url, ordinary, hostile, tally)
        for number in range(_TIMES_CONCURRENCY * ServiceSettings().admission.max_concurrency)
    ]
    watch = asyncio.create_task(_watch_memory(service, tally))
    await asyncio.gather(*(sender.send_until(deadline, random) for sender in senders))
    watch.cancel()
    return tally


async def _watch_memory(service: RunningService, tally: Tally) -> None:
    while True:
        tally.memory_mb.append(service.resident_mb())
        await asyncio.sleep(1)


async def _recovery(
    http: httpx.AsyncClient, url: str, data: bytes, idle_ms: Sequence[float]
) -> float:
    """Seconds until an answer is accepted and takes no longer than the slowest unloaded one."""
    start = perf_counter()
    while perf_counter() - start < _RECOVERY_SECONDS:
        sent_at = perf_counter()
        response = await post(http, url, data, "192.0.2.1")
        milliseconds = (perf_counter() - sent_at) * 1000
        if response.status_code == 200 and milliseconds <= max(idle_ms):
            break
    return perf_counter() - start


def _figures(idle_ms: Sequence[float], tally: Tally, recovery: float, seconds: float) -> Figures:
    p99, loaded_p99 = (float(np.percentile(ms, 99)) for ms in (idle_ms, tally.accepted_ms))
    first, last = (median(part) for part in (tally.memory_mb[5:15], tally.memory_mb[-10:]))
    return {
        "flood_seconds": seconds,
        "flood_senders": _TIMES_CONCURRENCY * ServiceSettings().admission.max_concurrency,
        "flood_requests": sum(tally.statuses.values()),
        "flood_accepted": len(tally.accepted_ms),
        "flood_other_failures": tally.failures.total(),
        "flood_failures": dict(tally.failures),
        "flood_refused_without_retry_after": tally.without_retry_after,
        "unloaded_p50_ms": median(idle_ms),
        "unloaded_p99_ms": p99,
        "flood_p50_ms": median(tally.accepted_ms),
        "flood_p99_ms": loaded_p99,
        "flood_p99_ratio": loaded_p99 / p99,
        "flood_memory_growth_mb": last - first,
        "flood_memory_max_mb": max(tally.memory_mb),
        "flood_recovery_seconds": recovery,
        "flood_statuses": {str(code): n for code, n in sorted(tally.statuses.items())},
    }

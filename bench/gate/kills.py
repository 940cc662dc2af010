"""Decode workers are killed at random while a service works: only their own uploads may suffer."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from signal import SIGKILL
from threading import Event
from time import perf_counter

import httpx2 as httpx

from bench.gate.cost import megapixel_jpeg
from bench.gate.service import RunningService, running_service
from bench.report import Figures
from inference.gate.refusals import DECODER_CRASHED
from inference.settings import ServiceSettings

_SECONDS = 30.0
_PAUSE_SECONDS = 0.2
_LARGE = 4
_ACCEPTED = "accepted"


def measure_kills() -> Figures:
    """What becomes of requests while workers are killed."""
    senders = ServiceSettings().admission.max_concurrency
    over = Event()
    with (
        running_service(RATE_PER_SECOND="0", MIN_WAIT_SECONDS="10") as service,
        ThreadPoolExecutor(senders + 1) as threads,
    ):
        killer = threads.submit(_kill, service, over)
        tallies = [threads.submit(_send, service) for _ in range(senders)]
        answers = sum((tally.result() for tally in tallies), Counter[str]())
        over.set()
        kills = killer.result()
        restarts = int(service.has_ended())
    losses = answers[DECODER_CRASHED.code]
    return {
        "kills": kills,
        "kills_requests": answers.total(),
        "kills_lost": losses,
        "kills_lost_beyond_kills": max(0, losses - kills),
        "kills_other_failures": answers.total() - answers[_ACCEPTED] - losses,
        "kills_service_restarts": restarts,
        "kills_answers": dict(answers),
    }


def _kill(service: RunningService, over: Event) -> int:
    kills, random = 0, Random(9)  # noqa: S311 - a repeatable choice, no secret
    while not over.wait(_PAUSE_SECONDS):
        workers = service.workers()
        if workers:
            with suppress(ProcessLookupError):
                os.kill(random.choice(workers), SIGKILL)
                kills += 1
    return kills


def _send(service: RunningService) -> Counter[str]:
    """Ordinary pictures until the time is over; answers by code."""
    answers: Counter[str] = Counter()
    # Large ones, so that a worker is often killed at work.
    data = megapixel_jpeg(times=_LARGE)
    deadline = perf_counter() + _SECONDS
    with httpx.Client(timeout=60) as http:
        while perf_counter() < deadline:
            answers[_answer(http, service.url, data)] += 1
    return answers


def _answer(http: httpx.Client, url: str, data: bytes) -> str:
    try:
        response = http.post(url, files={"file": ("upload", data)})
    except httpx.TransportError as error:
        return type(error).__name__
    if response.status_code == 200:
        return _ACCEPTED
    code: str = response.json()["type"].rpartition(":")[2]
    return code

"""One slow hostile client inside its limits, and honest uploads beside it, on loopback."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import suppress
from io import BytesIO
from statistics import median
from time import perf_counter

import httpx2 as httpx
import numpy as np
from PIL import Image as Pillow

from bench.gate.flood import post
from bench.gate.service import RunningService, running_service
from bench.report import Figures
from inference.figures import draw_figure
from maskwatch.demo.pictures import encode

_CONNECTIONS = 3
_BYTES_PER_SECOND = 12_000
_PIECE_BYTES = 1_200
_HOSTILE = "203.0.113.1"
_HONEST_UPLOADS = 25
_HONEST_EVERY_SECONDS = 2.0
_WARM_UP = 20
# 5.3 million pixels of few colours: four kilobytes that cost a turn of a second or more.
_EXPENSIVE_SIZE, _COLOURS = (1_880, 2_800), 4

Answer = tuple[int, float]


def measure_one_client() -> Figures:
    """Which share of honest uploads is answered 200 while one client sends expensive pictures.

    Raises:
        ServiceFailed: the service does not start.
    """
    with running_service() as service:
        return asyncio.run(_beside_one_client(service))


def expensive_picture() -> bytes:
    """A small file that the gate accepts and that takes long to decode, parse and look at."""
    few_colours = Pillow.fromarray(draw_figure(1).image).quantize(_COLOURS).convert("RGB")
    buffer = BytesIO()
    large = few_colours.resize(_EXPENSIVE_SIZE, Pillow.Resampling.NEAREST)
    large.save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


async def _beside_one_client(service: RunningService) -> Figures:
    pictures = [encode(draw_figure(seed).image, "", "JPEG").data for seed in range(_WARM_UP)]
    async with httpx.AsyncClient(timeout=60) as http:
        for number, data in enumerate(pictures):
            (await post(http, service.url, data, f"192.0.2.{number}")).raise_for_status()
        hostile, answers = expensive_picture(), list[Answer]()
        senders = [
            asyncio.create_task(_send_slowly(http, service.url, hostile, answers))
            for _ in range(_CONNECTIONS)
        ]
        honest = await _honest_answers(http, service.url, pictures)
        await _cancel(senders)
    return _figures(honest, answers, len(hostile))


async def _honest_answers(
    http: httpx.AsyncClient, url: str, pictures: Sequence[bytes]
) -> list[Answer]:
    """Uploads at fixed times, each from a client of its own that does not try again."""
    tasks = []
    for number in range(_HONEST_UPLOADS):
        await asyncio.sleep(_HONEST_EVERY_SECONDS)
        data, client = pictures[number % len(pictures)], f"198.51.100.{number}"
        tasks.append(asyncio.create_task(_time_answer(post(http, url, data, client))))
    return await asyncio.gather(*tasks)


async def _send_slowly(
    http: httpx.AsyncClient, url: str, data: bytes, answers: list[Answer]
) -> None:
    """The same upload again and again, on one connection, at its rate."""
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body += data + b"\r\n--b--\r\n"
    headers = {
        "Content-Type": "multipart/form-data; boundary=b",
        "Content-Length": str(len(body)),
        "X-Forwarded-For": _HOSTILE,
    }
    while True:
        answers.append(await _time_answer(http.post(url, content=_slowly(body), headers=headers)))


async def _slowly(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _PIECE_BYTES):
        await asyncio.sleep(_PIECE_BYTES / _BYTES_PER_SECOND)
        yield body[start : start + _PIECE_BYTES]


async def _time_answer(answer: Awaitable[httpx.Response]) -> Answer:
    start = perf_counter()
    response = await answer
    return response.status_code, (perf_counter() - start) * 1000


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks)


def _figures(honest: Sequence[Answer], hostile: Sequence[Answer], hostile_bytes: int) -> Figures:
    times = [milliseconds for status, milliseconds in honest if status == 200]
    statuses = Counter(status for status, _ in hostile)
    return {
        "one_client_connections": _CONNECTIONS,
        "one_client_file_bytes": hostile_bytes,
        "one_client_answered": statuses[200],
        "one_client_answered_p50_ms": median(ms for status, ms in hostile if status == 200),
        "one_client_refused": statuses.total() - statuses[200],
        "one_client_honest_uploads": len(honest),
        "one_client_honest_share": len(times) / len(honest),
        "one_client_honest_p50_ms": float(np.percentile(times, 50)) if times else 0.0,
        "one_client_honest_max_ms": max(times, default=0.0),
    }

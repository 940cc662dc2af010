"""How fast observations are taken in, and what becomes of exchanges with halves missing."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from time import perf_counter, sleep
from urllib.parse import urljoin, urlsplit
from urllib.request import urlopen

import numpy as np

from bench.gate.service import RunningService, running_service
from bench.report import Figures

_CONNECTIONS = 16
_SETTLE_SECONDS = 3.0
_JOIN_SECONDS = 3.0
_EVENTS = ("request", "response")
_REPORT = json.dumps(
    {"client": "203.0.113.7", "status": 200, "features": {"width": 640, "persons": 2}}
).encode()

Message = tuple[dict[str, str], bytes]


@dataclass
class Answers:
    """What came back: milliseconds from when a message was due, and statuses."""

    milliseconds: list[float] = field(default_factory=list)
    refused: int = 0


def measure_observe(seconds: float = 60.0, per_second: int = 500) -> Figures:
    """Reports at a fixed rate, then events of pairs of which 1 % of the halves are missing."""
    settings = {"REQUIRE_OBSERVE_KEY": "false", "OBSERVE_JOIN_SECONDS": str(_JOIN_SECONDS)}
    count = int(seconds * per_second)
    with running_service(**settings) as service:
        reports = [({"Content-Type": "application/json"}, _REPORT)] * count
        # What a service sets up at its first requests is not growth.
        asyncio.run(_send(service.url, reports[:per_second], per_second))
        before_mb = service.resident_mb()
        answers = asyncio.run(_send(service.url, reports, per_second))
        figures = {
            "observe_accept_ms_p50": float(np.percentile(answers.milliseconds, 50)),
            "observe_accept_ms_p99": float(np.percentile(answers.milliseconds, 99)),
            "observe_refused": answers.refused,
            "observe_growth_mb": service.resident_mb() - before_mb,
        }
        return figures | _measure_pairs(service, count // 10, per_second)


def _measure_pairs(service: RunningService, pairs: int, per_second: int) -> dict[str, float]:
    """What the service says of them; ``pairs_whole`` is what was sent of both halves."""
    random = np.random.default_rng(7)
    halves = [(side, number) for number in range(pairs) for side in _EVENTS]
    kept = random.permutation(len(halves))[len(halves) // 100 :]
    # Halves come up to some fifty places from where they belong.
    kept = kept[np.argsort(kept + random.uniform(0, 50, len(kept)))]
    sent = [halves[place] for place in kept]
    asyncio.run(_send(service.url, [_build_event(*half) for half in sent], per_second))
    sleep(_JOIN_SECONDS + _SETTLE_SECONDS)
    fates = _count_fates(service.url)
    return {
        "pairs_whole": len(sent) - len({number for _, number in sent}),
        "pairs_joined": (fates.get("joined", 0) + fates.get("out_of_order", 0)) / 2,
        "halves_sent": len(sent),
        **{f"halves_{fate}": count for fate, count in sorted(fates.items())},
    }


def _build_event(side: str, number: int) -> Message:
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": str(number),
        "ce-type": f"org.kubeflow.serving.inference.{side}",
        "ce-source": "http://localhost:9081/",
        "Content-Type": "application/json",
    }
    # No picture: what is measured is that the halves meet.
    return attributes, b'{"inputs": []}'


def _count_fates(url: str) -> dict[str, float]:
    with urlopen(urljoin(url, "/metrics")) as answer:  # noqa: S310 - our own service
        text = answer.read().decode()
    fates: dict[str, float] = {}
    for fate, count in re.findall(r'event_halves_total{fate="(\w+)",side="\w+"} (\S+)', text):
        fates[fate] = fates.get(fate, 0) + float(count)
    return fates


async def _send(url: str, messages: Sequence[Message], per_second: int) -> Answers:
    """Send messages at a fixed rate; one that waits for a connection counts from its due time."""
    queue: asyncio.Queue[tuple[float, Message] | None] = asyncio.Queue()
    answers = Answers()
    senders = [asyncio.create_task(_send_queued(url, queue, answers)) for _ in range(_CONNECTIONS)]
    start = perf_counter()
    for number, message in enumerate(messages):
        due = start + number / per_second
        await asyncio.sleep(max(0.0, due - perf_counter()))
        queue.put_nowait((due, message))
    for _ in senders:
        queue.put_nowait(None)
    await asyncio.gather(*senders)
    return answers


async def _send_queued(
    url: str, queue: asyncio.Queue[tuple[float, Message] | None], answers: Answers
) -> None:
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    while (item := await queue.get()) is not None:
        due, (headers, body) = item
        writer.write(_write_message(headers, body))
        status = await _read_status(reader)
        answers.milliseconds.append(1000 * (perf_counter() - due))
        answers.refused += status >= HTTPStatus.BAD_REQUEST
    writer.close()
    await writer.wait_closed()


def _write_message(headers: dict[str, str], body: bytes) -> bytes:
    fields = {"Host": "observe", **headers, "Content-Length": str(len(body))}
    lines = [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join(["POST /v1/observe HTTP/1.1", *lines, "", ""]).encode() + body


async def _read_status(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = re.search(rb"content-length: (\d+)", head)
    await reader.readexactly(int(length[1]) if length else 0)
    return int(head.split()[1])

"""The whole proxy, gate and checks included, against the upstream alone."""

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from io import BytesIO
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter, sleep
from urllib.parse import urlsplit

import numpy as np
from PIL import Image as Pillow

from bench.attach.clients import WrongAnswer
from bench.attach.looks import count_looks, write_baseline
from bench.attach.sides import Side
from bench.attach.upstream import SIDE
from bench.gate.service import RunningService, running_service
from detectors.label_lists import LABEL_LISTS

_FILES = 40
_UPLOADS = 40
_CALLS = 3
# Different ones, for whether a picture is looked at is drawn by its bytes; and not so fast that
# answers wait, for then none is.
_SAMPLED = 200
_SAMPLED_PAUSE_SECONDS = 0.1
# Time in which the checks beside the traffic come to an end, so that they slow nobody.
_RESTED = 15
_REST_SECONDS = 0.4
_LOOK_SECONDS = 0.02
_TIMEOUT_SECONDS = 120
_BOUNDARY = "bench"
_PRESET = """
name = "bench"
applies_exif = false

[labels]
names = {names}

[[doors]]
name = "parse"
kind = "picture"
paths = ["/parse"]

[[doors.places]]
body = "form"
names = ["image"]

[doors.answer]
kind = "label_png"

[[doors]]
name = "call"
kind = "picture"
paths = ["/call"]

[[doors.places]]
body = "json"
names = ["/input/*"]
coding = "base64"

[doors.answer]
kind = "nested_lists"
"""

Message = tuple[str, str, bytes]


def measure_whole(upstream: Side, rounds: int) -> dict[str, float]:
    """Milliseconds that the proxy adds to an upload, and its memory: idle, and with large answers.

    Uploads that follow one another meet the checks of those before them, on the same processors;
    rested ones wait until these are done.

    Raises:
        ServiceFailed: the proxy does not start.
        WrongAnswer: an answer is not the upstream's.
    """
    files = [_photograph(seed) for seed in range(_FILES)]
    url = f"http://127.0.0.1:{upstream.port}"
    with TemporaryDirectory(prefix="maskwatch-bench-") as folder:
        preset = Path(folder) / "bench.toml"
        preset.write_text(_PRESET.format(names=json.dumps(LABEL_LISTS["CIHP"])))
        with running_service("proxy", **_settings(url, str(preset))) as proxy:
            figures = _measure(proxy, upstream.port, files, rounds)
        baseline = Path(folder) / "baseline.json"
        write_baseline(baseline, preset, url)
        known = _settings(url, str(preset)) | {"BASELINE": str(baseline)}
        with running_service("proxy", **known) as proxy:
            return figures | _measure_looks(proxy)


def _measure(
    proxy: RunningService, upstream_port: int, files: Sequence[bytes], rounds: int
) -> dict[str, float]:
    figures = {"proxy_rss_mb": proxy.resident_mb()}
    uploads, calls = [_write_form(file) for file in files], [_write_call(file) for file in files]
    measure = partial(_measure_added, proxy, upstream_port, rounds)
    figures |= measure("picture", uploads, _UPLOADS)
    figures |= measure("picture_rested", uploads, _RESTED, pause_seconds=_REST_SECONDS)
    # What a process sets up at its first pictures is not what large answers cost.
    before = proxy.resident_mb()
    figures["proxy_rss_mb_after_uploads"] = before
    return figures | _watch_memory(proxy, lambda: measure("big", calls, _CALLS), before)


def _measure_looks(proxy: RunningService) -> dict[str, float]:
    """Shares with the settings as they are, of a source whose baseline is known."""
    uploads = [_write_form(_photograph(seed)) for seed in range(_SAMPLED)]
    _send_all(_port_of(proxy), uploads, _SAMPLED_PAUSE_SECONDS)
    return count_looks(proxy.url, _SAMPLED)


def _settings(upstream: str, preset: str) -> dict[str, str]:
    return {
        "UPSTREAM": upstream,
        "PRESET": preset,
        "MODE": "monitor",
        "RATE_PER_SECOND": "0",
    }


def _measure_added(
    proxy: RunningService,
    upstream_port: int,
    rounds: int,
    name: str,
    messages: Sequence[Message],
    per_round: int,
    pause_seconds: float = 0.0,
) -> dict[str, float]:
    """The proxy and the upstream take turns; the first messages to each are not counted."""
    times: dict[int, list[float]] = {upstream_port: [], _port_of(proxy): []}
    for port in times:
        _send_all(port, messages[:2])
    places = count()
    for _ in range(rounds):
        chosen = [messages[next(places) % len(messages)] for _ in range(per_round)]
        for port in times:
            times[port] += _send_all(port, chosen, pause_seconds)
    direct, through = times.values()
    return {
        f"added_ms_p50_{name}": median(through) - median(direct),
        f"added_ms_p99_{name}": _p99(through) - _p99(direct),
        f"added_ms_p50_{name}_base": median(direct),
    }


def _watch_memory(
    proxy: RunningService, measure: Callable[[], dict[str, float]], before: float
) -> dict[str, float]:
    """What the proxy holds more at its largest, while something is measured."""
    resident, has_ended = [before], Event()

    def look() -> None:
        while not has_ended.wait(_LOOK_SECONDS):
            resident.append(proxy.resident_mb())

    thread = Thread(target=look)
    thread.start()
    try:
        figures = measure()
    finally:
        has_ended.set()
        thread.join()
    return figures | {"big_answer_memory_mb": max(resident) - before}


def _send_all(port: int, messages: Sequence[Message], pause_seconds: float = 0.0) -> list[float]:
    """Milliseconds of each, over one connection, until the last byte is here."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)) as connection:
        times = []
        for number, message in enumerate(messages):
            times.append(_send(connection, number, *message))
            sleep(pause_seconds)
        return times


def _send(
    connection: HTTPConnection, number: int, path: str, content_type: str, body: bytes
) -> float:
    # Clients of their own: one that sent all of it would soon be looked at more closely.
    headers = {"Content-Type": content_type, "X-Forwarded-For": f"198.51.100.{number % 250 + 1}"}
    begin = perf_counter()
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise WrongAnswer(f"The answer to an upload is {answer.status}.")
    return 1000 * (perf_counter() - begin)


def _photograph(seed: int) -> bytes:
    """One megapixel as JPEG: soft shapes and a little noise, as photos have."""
    random = np.random.default_rng(seed)
    small = Pillow.fromarray(random.integers(0, 256, (12, 12, 3), np.uint8))
    soft = np.asarray(small.resize((SIDE, SIDE), Pillow.Resampling.BICUBIC), np.int16)
    noisy = (soft + random.integers(-6, 7, soft.shape)).clip(0, 255).astype(np.uint8)
    buffer = BytesIO()
    Pillow.fromarray(noisy).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _write_form(file: bytes) -> Message:
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    body = head.encode() + file + f"\r\n--{_BOUNDARY}--\r\n".encode()
    return "/parse", f"multipart/form-data; boundary={_BOUNDARY}", body


def _write_call(file: bytes) -> Message:
    body = json.dumps({"input": {"image": b64encode(file).decode()}}).encode()
    return "/call", "application/json", body


def _port_of(proxy: RunningService) -> int:
    return urlsplit(proxy.url).port or 0


def _p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98]

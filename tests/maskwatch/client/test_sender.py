"""The queue of reports is bounded, and nobody waits for it."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from maskwatch.client.counts import Counts
from maskwatch.client.exchange import Exchange
from maskwatch.client.sender import Sender
from tests.makers import NOW
from tests.maskwatch.client.conftest import Sink, patient_options
from tests.waiting import PATIENCE_SECONDS, wait_for


@pytest.fixture
def silent() -> Iterator[str]:
    """A sidecar that takes connections and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _exchange(body: bytes = b"picture", sender: str = "203.0.113.7") -> Exchange:
    return Exchange("image/png", (body,), sender, 200, 12.5, NOW)


def _sender(url: str, **options: Any) -> tuple[Sender, Counts]:
    counts = Counts()
    return Sender(patient_options(url, **options), counts), counts


def test_a_report_arrives_with_what_is_known(sink: Sink) -> None:
    sender, counts = _sender(sink.url, api_key="mwk_x")
    sender.submit(_exchange())
    assert sender.flush(PATIENCE_SECONDS)
    assert sink.reports == [
        {
            "client": "203.0.113.7",
            "time": "2026-03-02T12:00:00+00:00",
            "latency_ms": 12.5,
            "status": 200,
            "picture": b"picture",
        }
    ]
    assert sink.headers[0]["x-api-key"] == "mwk_x"
    assert counts.read()["reported"] == 1


@pytest.mark.parametrize(
    ("sender", "client"),
    [("2001:db8::7", "2001:db8::7"), ("fe80::1%eth0", "fe80::1"), ("", None), ("@", None)],
)
def test_a_sender_without_an_address_is_left_out(
    sink: Sink, sender: str, client: str | None
) -> None:
    queue, _ = _sender(sink.url)
    queue.submit(_exchange(sender=sender))
    assert queue.flush(PATIENCE_SECONDS)
    assert sink.reports[0]["client"] == client


def test_the_sidecar_reads_the_report() -> None:
    module: Any = pytest.importorskip("inference.upstream.observe.report")
    ((form, content_type),) = _exchange().write_forms(("file",))
    report = module.read_form_report(content_type.partition("boundary=")[2], form, "key:a", NOW)
    assert (report.client, report.status) == ("ip:203.0.113.7", 200)
    assert (report.latency_ms, report.upload.data) == (12.5, b"picture")


def test_reports_beyond_the_queue_are_dropped_and_counted(silent: str) -> None:
    sender, counts = _sender(silent, max_queue=3)
    for _ in range(10):
        sender.submit(_exchange())
    assert counts.read()["dropped"] == 7


def test_the_queue_is_bounded_by_its_bytes_too(silent: str) -> None:
    sender, counts = _sender(silent, max_queue_bytes=1_000)
    for _ in range(4):
        sender.submit(_exchange(bytes(400)))
    assert counts.read()["dropped"] == 2


def test_a_sidecar_that_is_away_costs_reports_and_nothing_else(nobody: str) -> None:
    sender, counts = _sender(nobody)
    for _ in range(3):
        sender.submit(_exchange())
    assert sender.flush(PATIENCE_SECONDS)
    assert counts.read()["not_taken"] == 3


def test_a_report_that_is_not_taken_is_counted(sink: Sink) -> None:
    sink.status = 503
    sender, counts = _sender(sink.url)
    sender.submit(_exchange())
    assert sender.flush(PATIENCE_SECONDS)
    assert counts.read()["not_taken"] == 1


# A fork beside threads is what servers do; the child here ends at once.
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_process_that_was_forked_reports_for_itself(sink: Sink, tmp_path: Path) -> None:
    sender, _ = _sender(sink.url)
    sender.submit(_exchange())
    assert sender.flush(PATIENCE_SECONDS)
    child = os.fork()
    if child == 0:
        sender.submit(_exchange(b"of the child"))
        os._exit(0 if sender.flush(PATIENCE_SECONDS) else 1)
    assert os.waitpid(child, 0)[1] == 0
    wait_for(lambda: len(sink.reports) == 2)
    assert sink.reports[1]["picture"] == b"of the child"

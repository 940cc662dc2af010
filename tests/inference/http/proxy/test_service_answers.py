"""What a proxy makes of the answers of the service, or of none."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
from flask import Response

from detectors.parsing import Image
from inference.http.proxy.app import ProxyApp
from tests.inference.http.proxy.conftest import (
    WAIT_SECONDS,
    Attach,
    answer_labels,
)
from tests.ports import reserved_port
from tests.waiting import wait_for

Encode = Callable[..., bytes]
SCRIPT = "<script>alert(1)</script>"


def test_an_answer_that_is_no_parse_passes_and_is_not_read(attach: Attach, png: bytes) -> None:
    attached = attach()
    attached.page.answer = lambda _: Response("<h1>Busy</h1>", 200, mimetype="text/html")
    assert attached.send(png).text == "<h1>Busy</h1>"
    (row,) = attached.rows(1)
    assert (row.stage, row.reasons) == ("gate", ["answer_not_read"])


@pytest.mark.parametrize(
    ("unread", "status", "verdict"), [("refuse", 502, "refuse"), ("pass", 200, "flag")]
)
def test_an_answer_that_cannot_be_read_is_refused_or_flagged_when_enforcing(
    attach: Attach, png: bytes, unread: str, status: int, verdict: str
) -> None:
    attached = attach(mode="enforce", unread_answers=unread)
    attached.page.answer = lambda _: Response("<h1>Busy</h1>", 200, mimetype="text/html")
    response = attached.send(png)
    assert response.status_code == status
    assert ("Busy" in response.text) is (unread == "pass")
    (row,) = attached.rows(1)
    assert response.headers["maskwatch-request-id"] == row.request_id
    assert (row.verdict, row.status, row.reasons) == (verdict, status, ["answer_not_read"])


def test_an_answer_without_a_place_is_recorded_at_once(attach: Attach, encode: Encode) -> None:
    attached = attach(max_waiting_mb=1)
    png = encode(np.zeros((700, 700, 3), np.uint8) + np.arange(700, dtype=np.uint8)[:, None])
    assert attached.send(png).status_code == 200
    (row,) = attached.rows(1)
    assert "not_measured" in row.reasons


# A megabyte and a third: one of the largest pictures here, and one of the largest answers.
SMALL_MEMORY = {"max_held_mb": 1, "max_answer_mb": 1, "max_decoded_pixels": 100_000}


def test_pictures_that_wait_for_the_service_are_bounded_by_their_bytes(
    attach: Attach, encode: Encode
) -> None:
    attached, may_answer = attach(**SMALL_MEMORY), Event()
    png = encode(np.zeros((300, 300, 3), np.uint8))

    def wait(picture: Image) -> Response:
        assert may_answer.wait(WAIT_SECONDS)
        return answer_labels(picture)

    attached.page.answer = wait
    memory = attached.proxy.memory
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(attached.send, png) for _ in range(4)]
        wait_for(lambda: len(attached.page.pictures) == 4)
        assert 4 * 270_000 < memory.used_bytes < 4 * 275_000
        refused = attached.send(png)
        may_answer.set()
        assert [each.result().status_code for each in waiting] == [200] * 4
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert refused.json()["type"] == "urn:maskwatch:problem:overloaded"
    assert len(attached.page.pictures) == 4
    wait_for(lambda: memory.used_bytes == 0)


@pytest.mark.parametrize(("mode", "status"), [("monitor", 200), ("enforce", 503)])
def test_an_answer_without_memory_is_not_measured_and_never_held(
    attach: Attach, encode: Encode, mode: str, status: int
) -> None:
    attached = attach(**SMALL_MEMORY, mode=mode)
    png = encode(np.zeros((30, 30, 3), np.uint8))
    attached.page.answer = lambda _: Response(bytes(500_000), mimetype="image/png")
    assert attached.proxy.memory.take(900_000)
    response = attached.send(png)
    assert response.status_code == status
    (row,) = attached.rows(1)
    assert row.reasons[-1] == ("not_measured" if status == 200 else "upstream_failed")
    wait_for(lambda: attached.proxy.memory.used_bytes == 900_000)


@pytest.mark.parametrize("mode", ["monitor", "enforce"])
def test_a_service_that_is_away_is_a_problem_and_a_record(
    attach: Attach, png: bytes, mode: str
) -> None:
    with reserved_port() as port:
        attached = attach(upstream=f"http://127.0.0.1:{port}", mode=mode)
        response = attached.send(png)
    assert response.status_code == 502
    assert response.headers["content-type"] == "application/problem+json"
    assert "127.0.0.1" not in response.text
    (row,) = attached.rows(1)
    assert (row.status, row.reasons) == (502, ["upstream_failed"])


def test_an_error_of_the_service_passes(attach: Attach, png: bytes) -> None:
    attached = attach(mode="enforce")
    attached.page.answer = lambda _: Response("no", 418)
    assert (attached.send(png).status_code, attached.send(png).text) == (418, "no")
    assert [row.status for row in attached.rows(2)] == [418, 418]


def test_a_fault_of_ours_is_no_traceback(
    attach: Attach, monkeypatch: pytest.MonkeyPatch, png: bytes
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    attached = attach()
    monkeypatch.setattr(ProxyApp, "_pass", fail)
    response = attached.send(png)
    assert (response.status_code, "secret" in response.text) == (500, False)
    (row,) = attached.rows(1)
    assert (row.stage, row.reasons) == ("failed", ["fault"])

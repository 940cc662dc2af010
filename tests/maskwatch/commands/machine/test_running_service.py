"""Doctor asks the service that runs what it could not read."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from inference.metrics import Metrics
from inference.settings import ServiceSettings
from maskwatch.commands.checks import Check, State
from maskwatch.commands.machine import running_service
from maskwatch.commands.machine.running_service import check_running_service
from tests.ports import reserved_port
from tests.waiting import PATIENCE_SECONDS, POLL_SECONDS


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that a busy machine holds up is waited for."""
    monkeypatch.setattr(running_service, "_SECONDS", PATIENCE_SECONDS)


@contextmanager
def _answer(status: int, body: bytes) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(POLL_SECONDS,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _check(tmp_path: Path, port: int) -> list[Check]:
    return list(check_running_service(ServiceSettings(var_dir=tmp_path, port=port)))


@pytest.mark.parametrize(
    ("counter", "setting"),
    [
        ("unreadable_senders", "MASKWATCH_FORWARDED_HEADER"),
        ("untrusted_proxies", "MASKWATCH_TRUSTED_PROXIES"),
        ("silent_proxies", "MASKWATCH_FORWARDED_HEADER"),
    ],
)
def test_what_the_service_could_not_read_is_said_with_the_setting_that_mends_it(
    tmp_path: Path, counter: str, setting: str
) -> None:
    metrics = Metrics()
    getattr(metrics, counter).inc(3)
    with _answer(200, metrics.exposition()) as port:
        (check,) = _check(tmp_path, port)
    assert check.state is State.WARN
    assert check.sentence.startswith("In 3 requests since its start")
    assert setting in check.sentence


def test_a_service_that_could_read_everything_is_fine(tmp_path: Path) -> None:
    with _answer(200, Metrics().exposition()) as port:
        (check,) = _check(tmp_path, port)
    assert check == Check(
        "forwarded headers", State.OK, "The running service could read all of them."
    )


def test_a_service_of_another_var_folder_is_not_taken_for_the_own_one(tmp_path: Path) -> None:
    own, other, fresh = tmp_path / "own", tmp_path / "other", tmp_path / "fresh"
    own.mkdir()
    other.mkdir()
    metrics = Metrics()
    metrics.mark_var_folder(own)
    metrics.untrusted_proxies.inc()
    with _answer(200, metrics.exposition()) as port:
        (check,) = _check(own, port)
        assert check.name == "forwarded headers"
        for folder in (other, fresh):
            (check,) = _check(folder, port)
            assert (check.name, check.state) == ("service", State.WARN)
            assert f"127.0.0.1:{port} works in another var folder than {folder}" in check.sentence
    assert not fresh.exists()


def test_another_program_with_metrics_is_not_taken_for_a_service(tmp_path: Path) -> None:
    with _answer(200, b"# TYPE jobs counter\njobs_total 3.0\n") as port:
        (check,) = _check(tmp_path, port)
    assert (check.name, check.state) == ("service", State.WARN)
    assert check.sentence.startswith(f"Another program than Maskwatch answers at 127.0.0.1:{port}")


@pytest.mark.parametrize(("status", "body"), [(404, b""), (200, b'# TYPE x counter\nx{ "')])
def test_somebody_who_shows_no_counters_is_not_taken_for_nobody(
    tmp_path: Path, status: int, body: bytes
) -> None:
    with _answer(status, body) as port:
        (check,) = _check(tmp_path, port)
    assert check.state is State.WARN
    assert "shows no counters" in check.sentence


def test_a_port_where_nobody_listens_is_no_fault(tmp_path: Path) -> None:
    with reserved_port() as port:
        (check,) = _check(tmp_path, port)
    assert check.state is State.OK

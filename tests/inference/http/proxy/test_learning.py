"""Learning in front of the real page of the examples, which then runs behind what was learned."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import httpx2
import pytest

from detectors.parsing import Image
from inference.http.proxy.learning_server import NotLoopback, build_learning_server, check_loopback
from inference.settings import ProxySettings, ServiceSettings
from inference.upstream.learning.collector import Collector
from inference.upstream.learning.learn import Lesson
from inference.upstream.learning.preset_text import write_preset
from inference.upstream.requests.sent_request import RequestLimits
from store.settings import load_settings
from tests.flask_page import run_flask_page, send_picture
from tests.inference.http.proxy.conftest import WAIT_SECONDS, Attach

Encode = Callable[..., bytes]


@pytest.fixture(scope="module")
def flask_page() -> Iterator[str]:
    with run_flask_page() as url:
        yield url


class Learner:
    """Learns in a thread."""

    def __init__(self, settings: ServiceSettings, upstream: str, requests: int = 1) -> None:
        values = {"var_dir": settings.store.var_dir, "upstream": upstream}
        limits = RequestLimits(settings.gate.max_upload_bytes)
        self._collector = Collector(limits, requests, max_bytes=100_000_000)
        made = load_settings(ProxySettings, **values)
        self._server = build_learning_server(made, self._collector)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = Thread(target=self._server.run, args=([self._listener],))
        self._thread.start()

    def end(self) -> None:
        """As Ctrl-C does."""
        self._server.should_exit = True

    def wait(self) -> Lesson:
        """What it learned, once it has ended."""
        self._thread.join(WAIT_SECONDS)
        assert not self._thread.is_alive()
        self._listener.close()
        return self._collector.learn()


def test_the_page_is_attached_by_what_was_learned_from_it(
    settings: ServiceSettings,
    flask_page: str,
    figure: Image,
    encode: Encode,
    attach: Attach,
    tmp_path: Path,
) -> None:
    png = encode(figure)
    learner = Learner(settings, flask_page, 2)
    assert httpx2.get(learner.url).text == httpx2.get(flask_page).text
    assert httpx2.post(f"{learner.url}/predict", data={"a": "b"}).status_code == 400
    answers = [send_picture(learner.url, png).content for _ in range(2)]
    lesson = learner.wait()
    assert answers == [send_picture(flask_page, png).content] * 2
    assert lesson.preset is not None
    (door,) = lesson.preset.doors
    shown = (door.paths, door.places[0].names, door.answer and door.answer.kind)
    assert shown == (("/predict",), ("image",), "label_png")
    assert any("2 of 2 can be read" in sentence for sentence in lesson.sentences)
    assert any("label_1" in sentence for sentence in lesson.sentences)
    assert any("EXIF could not be told" in sentence for sentence in lesson.sentences)
    assert any("POST /predict: a body without" in sentence for sentence in lesson.sentences)
    file = tmp_path / "learned.toml"
    file.write_text(write_preset(lesson.preset, lesson.sentences))
    attached = attach(upstream=flask_page, preset=str(file))
    assert send_picture(attached.url, png).content == answers[0]
    (row,) = attached.rows(1)
    assert row.stage == "parsed"


def test_a_service_that_is_away_is_a_problem(
    settings: ServiceSettings, encode: Encode, figure: Image
) -> None:
    learner = Learner(settings, "http://127.0.0.1:9")
    response = send_picture(learner.url, encode(figure))
    learner.end()
    assert response.status_code == 502
    assert "127.0.0.1" not in response.text
    assert learner.wait().preset is None


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", "::"])  # noqa: S104
def test_other_machines_do_not_reach_what_is_not_gated(host: str) -> None:
    with pytest.raises(NotLoopback, match="nothing is gated"):
        check_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_this_machine_does(host: str) -> None:
    check_loopback(host)

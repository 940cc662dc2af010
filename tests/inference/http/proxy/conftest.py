"""A proxy behind a port of loopback, and a real Flask application behind the proxy."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx2
import numpy as np
import pytest
import uvicorn
from flask import Flask, Response, request
from PIL import Image as Pillow
from sqlalchemy import select
from werkzeug.serving import make_server

from detectors.baseline.baseline import Baseline
from detectors.baseline.baseline_text import to_json
from detectors.parsing import Image
from inference.http.proxy.server import server_config
from inference.pipeline import Pipeline
from inference.proxy_wiring import build_proxy
from inference.proxying import Proxy
from inference.results.outcomes import Accepted, Reply
from inference.settings import ProxySettings, ServiceSettings
from inference.upstream.answers.source_digest import digest_source
from inference.upstream.presets.preset_files import load_preset
from store.settings import load_settings
from store.tables.request_tables import RequestRow, features_table
from tests.inference.baseline_makers import make_baseline
from tests.makers import SECRET
from tests.waiting import PATIENCE_SECONDS, POLL_SECONDS, wait_for

PRESET = """
name = "test"
applies_exif = false

[labels]
names = ["background", "hair", "face", "upper_clothes"]

[[doors]]
name = "parse"
kind = "picture"
paths = ["/parse"]

[[doors.places]]
body = "form"
names = ["image"]
max_pictures = 2

[[doors.places]]
body = "json"
names = ["/image"]
coding = "either"

[doors.answer]
kind = "label_png"

[[doors]]
name = "log"
kind = "plain"
paths = ["/log"]
"""
WAIT_SECONDS = PATIENCE_SECONDS


@dataclass
class Page:
    """Somebody's parsing service.

    Attributes:
        pictures: files that it was sent.
        answer: makes the answer to a picture ``(H, W, 3)`` uint8, as it lies in its file.
        may_answer: for answers that wait.
    """

    pictures: list[bytes] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answer: Callable[[Any], Response] | None = None
    may_answer: Event = field(default_factory=Event)

    def build_app(self) -> Flask:
        """The application."""
        app = Flask(__name__)

        @app.before_request
        def note() -> None:
            self.headers.append(dict(request.headers))
            self.requests.append((request.method, request.environ["RAW_URI"]))

        @app.post("/parse")
        def parse() -> Response:
            files = request.files.getlist("image")
            self.pictures += [file.read() for file in files]
            picture = np.asarray(Pillow.open(BytesIO(self.pictures[-1])).convert("RGB"))
            return (self.answer or answer_labels)(picture)

        @app.route("/<path:path>", methods=["GET", "POST"])
        def other(path: str) -> Response:
            return Response(f"{request.method} {path} {len(request.get_data())}")

        return app


def label(picture: Any) -> Any:
    """The label map of a picture: 2 in its first quarter, 1 where it is dark, else 0."""
    labels = (picture.mean(axis=2) < 128).astype(np.uint8)
    height, width = labels.shape
    labels[: height // 2, : width // 2] = 2
    return labels


def answer_labels(picture: Any) -> Response:
    """Label numbers as the pixels of a PNG."""
    buffer = BytesIO()
    Pillow.fromarray(label(picture)).save(buffer, "PNG")
    return Response(buffer.getvalue(), mimetype="image/png", headers={"X-Model": "theirs"})


@dataclass(frozen=True)
class Attached:
    """A proxy that listens, and what stands behind it."""

    proxy: Proxy
    url: str
    page: Page

    def send(self, *files: bytes, path: str = "/parse", **more: Any) -> httpx2.Response:
        """Send pictures in a form."""
        parts = [("image", ("a.png", file, "image/png")) for file in files]
        return httpx2.post(self.url + path, files=parts, timeout=WAIT_SECONDS, **more)

    def rows(self, count: int) -> list[RequestRow]:
        """The records, once there are as many."""

        def read() -> list[RequestRow]:
            with self.proxy.service.database.read() as session:
                return list(session.scalars(select(RequestRow).order_by(RequestRow.id)))

        wait_for(lambda: len(read()) >= count)
        rows = read()
        assert len(rows) == count
        return rows

    def wait_until_idle(self) -> None:
        """Wait until no answer is checked any more, and so nothing looked at."""
        wait_for(lambda: len(self.proxy.queue) == 0)

    def features(self, count: int) -> list[dict[str, float | None]]:
        """What was measured of each, once there are as many records; ``None`` if nothing was."""
        self.rows(count)
        with self.proxy.service.database.read() as session:
            rows = session.execute(select(features_table).order_by(features_table.c.request_pk))
            return [dict(row._mapping) for row in rows]


Attach = Callable[..., Attached]


@pytest.fixture
def png(figure: Image, encode: Callable[..., bytes]) -> bytes:
    """A drawn person as a file."""
    return encode(figure)


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    file = tmp_path / "test.toml"
    file.write_text(PRESET)
    return file


@pytest.fixture
def replies(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Accepted, Reply]]:
    """What the pipeline is given to judge."""
    kept = []
    judge = Pipeline.judge_reply

    def keep(self: Pipeline, accepted: Accepted, reply: Reply) -> Any:
        kept.append((accepted, reply))
        return judge(self, accepted, reply)

    monkeypatch.setattr(Pipeline, "judge_reply", keep)
    return kept


@pytest.fixture
def attach(
    settings: ServiceSettings, page: Page, preset: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Attach]:
    """Attaches proxies to the page: ``attach(mode="enforce")``.

    No picture is drawn for further looks unless a test says so: the page counts what it is sent.
    With ``is_known=True`` there is a baseline by which every change of a parse is odd. That the
    page answers more slowly than before, because the machine is busy, keeps no look from it.
    """
    monkeypatch.setattr("inference.upstream.looks.pace._SLOW_SECONDS", PATIENCE_SECONDS)
    with ExitStack() as stack:

        def start(
            upstream: str | None = None, *, is_known: bool = False, **changes: Any
        ) -> Attached:
            url = upstream or stack.enter_context(_serve_page(page))
            var_dir = settings.store.var_dir
            values: dict[str, Any] = {
                "var_dir": var_dir,
                "fingerprint_salt": SECRET,
                "upstream": url,
                "preset": str(preset),
                "upstream_look_share": 0,
                "refusal_pause_seconds": 0,
            }
            if is_known:
                values["baseline"] = var_dir / "baseline.json"
                values["baseline"].write_text(to_json(_make_baseline(preset, url)))
            made = load_settings(ProxySettings, **values | changes)
            proxy = stack.enter_context(closing(build_proxy(made)))
            return Attached(proxy, stack.enter_context(_serve_proxy(proxy)), page)

        yield start


def _make_baseline(preset: Path, url: str) -> Baseline:
    known = load_preset(str(preset))
    return make_baseline(digest_source(known.digest, known.labels, url))


@contextmanager
def _serve_page(page: Page) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, page.build_app(), threaded=True)
    thread = Thread(target=server.serve_forever, args=(POLL_SECONDS,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _serve_proxy(proxy: Proxy) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(server_config(proxy))
        thread = Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            wait_for(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()

"""``maskwatch proxy --learn``."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from threading import Thread

import httpx2
import pytest
from flask import Flask, Response, request
from PIL import Image as Pillow
from werkzeug.serving import make_server

from inference.upstream.presets.preset_files import load_preset
from tests.maskwatch.conftest import Run
from tests.ports import reserved_port
from tests.waiting import wait_for


def _save(picture: Pillow.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


_PICTURE = _save(Pillow.new("RGB", (9, 7), (200, 90, 10)))


def _serve() -> Flask:
    app = Flask(__name__)

    @app.post("/parse")
    def parse() -> Response:
        picture = Pillow.open(request.files["image"].stream)
        return Response(_save(Pillow.new("L", picture.size, 2)), mimetype="image/png")

    return app


def _send(url: str) -> None:
    def try_once() -> bool:
        try:
            files = {"image": ("a.png", _PICTURE, "image/png")}
            return httpx2.post(f"{url}/parse", files=files).status_code == 200
        except httpx2.TransportError:
            return False

    wait_for(try_once)


@pytest.fixture
def port() -> Iterator[int]:
    """Where the command shall listen."""
    with reserved_port() as number:
        yield number


def test_a_preset_is_printed_and_written(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, port: int
) -> None:
    monkeypatch.setenv("MASKWATCH_PORT", str(port))
    upstream, file = make_server("127.0.0.1", 0, _serve(), threaded=True), tmp_path / "own.toml"
    threads = [
        Thread(target=upstream.serve_forever),
        Thread(target=_send, args=(f"http://127.0.0.1:{port}",)),
    ]
    for thread in threads:
        thread.start()
    url = f"http://127.0.0.1:{upstream.server_port}"
    said = maskwatch("proxy", "--learn", "--upstream", url, "--requests", "1", "--out", str(file))
    upstream.shutdown()
    for thread in threads:
        thread.join()
    upstream.server_close()
    assert said.code == 0, said.err
    assert "Nothing is gated" in said.err
    assert said.out == file.read_text()
    preset = load_preset(str(file))
    assert (preset.doors[0].paths, preset.labels.names[1:]) == (("/parse",), ("label_1", "label_2"))


def test_what_would_fail_in_the_end_fails_at_once(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command = ("proxy", "--learn", "--upstream", "http://127.0.0.1:9")
    file = tmp_path / "own.toml"
    file.touch()
    for name, why in ((file, "exists already"), (tmp_path / "own", "does not end in .toml")):
        said = maskwatch(*command, "--out", str(name))
        assert said.code != 0
        assert why in said.err
    monkeypatch.setenv("MASKWATCH_HOST", "0.0.0.0")  # noqa: S104
    said = maskwatch(*command)
    assert said.code != 0
    assert "nothing is gated" in said.err


@pytest.mark.parametrize("options", [("--out", "a.toml"), ("--learn", "--preset", "form")])
def test_options_that_say_nothing_together_are_refused(
    maskwatch: Run, options: tuple[str, ...]
) -> None:
    said = maskwatch("proxy", "--upstream", "http://127.0.0.1:9", *options)
    assert (said.code, said.out) == (2, "")

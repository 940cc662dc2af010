"""Both modes in a real Gradio application."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx2
import pytest

from maskwatch.client import Mode
from tests.inference.http.conftest import Served
from tests.maskwatch.client.conftest import Sink
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(find_spec("gradio") is None, reason="Gradio is not installed")
_SCRIPT = Path(__file__).with_name("gradio_host.py")
Start = Callable[[str, Mode], str]


@pytest.fixture
def start_gradio(tmp_path: Path) -> Iterator[Start]:
    """Starts the application behind a middleware and gives its address."""
    quiet = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
    environment = {**os.environ, **quiet, "GRADIO_TEMP_DIR": str(tmp_path / "gradio")}
    with ExitStack() as stack:

        def start(sidecar: str, mode: Mode) -> str:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(_SCRIPT), sidecar, mode.value],
                    stdout=subprocess.PIPE,
                    text=True,
                    env=environment,
                )
            )
            stack.callback(process.terminate)
            assert process.stdout is not None
            return process.stdout.readline().strip()

        yield start


def _upload(host: str, picture: bytes) -> httpx2.Response:
    files = {"files": ("a.jpg", picture)}
    return httpx2.post(f"{host}/gradio_api/upload", files=files)


def _measure(host: str, path: str) -> Any:
    """Calls the function as the page's script does: an event, then the stream that it ends in."""
    call = f"{host}/gradio_api/call/measure"
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    event = httpx2.post(call, json={"data": [file]}).json()["event_id"]
    lines = httpx2.get(f"{call}/{event}").text.splitlines()
    return json.loads(lines[lines.index("event: complete") + 1].removeprefix("data: "))[0]


def test_a_picture_is_observed_and_measured(
    start_gradio: Start, sink: Sink, picture: bytes
) -> None:
    host = start_gradio(sink.url, Mode.OBSERVE)
    path = _upload(host, picture).json()[0]
    assert _measure(host, path)["height"] > 0
    wait_for(lambda: sink.reports)
    assert sink.reports[0]["picture"] == picture


def test_a_bad_file_does_not_reach_it(start_gradio: Start, sidecar: Served, picture: bytes) -> None:
    host = start_gradio(sidecar.url, Mode.GATE)
    path = _upload(host, picture).json()[0]
    assert _measure(host, path)["height"] > 0
    assert _upload(host, b"\x89PNG\r\n\x1a\n" + bytes(500)).status_code == 422

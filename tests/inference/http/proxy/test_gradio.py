"""A real Gradio behind the proxy: whatever way a picture takes, its parse has one record.

``MASKWATCH_TEST_GRADIO`` names the interpreter that has Gradio; default: the running one.
"""

import os
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import numpy as np
import pytest
from PIL import Image as Pillow

from detectors.parsing import Image
from inference.outcomes import Accepted, Reply
from inference.pipeline import Pipeline
from tests.inference.http.proxy.conftest import WAIT_SECONDS, Attach, Attached
from tests.waiting import wait_for

API = "/gradio_api"
HAIR, FACE = 2, 13
Parse = Callable[[Attached, dict[str, Any]], httpx2.Response]


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the application keeps what it decoded."""
    return tmp_path_factory.mktemp("decoded")


@pytest.fixture(scope="module")
def gradio(decoded: Path) -> Iterator[str]:
    python = os.environ.get("MASKWATCH_TEST_GRADIO", sys.executable)
    probe = [python, "-c", "import gradio"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("gradio is not installed: name an interpreter in MASKWATCH_TEST_GRADIO")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    script = Path(__file__).with_name("gradio_page.py")
    folder = decoded.parent / "gradio"
    environment = {
        **os.environ,
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": str(folder),
    }
    command = [python, str(script), str(port), str(decoded)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: _answers(f"http://127.0.0.1:{port}/config"))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url).status_code == 200
    except httpx2.TransportError:
        return False


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
def turned(figure: Image) -> bytes:
    """A picture of its own that has to be turned to stand upright."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    buffer = BytesIO()
    picture = figure.copy()
    picture[:8, :8] = np.random.default_rng(uuid4().int).integers(0, 255, (8, 8, 3))
    Pillow.fromarray(picture).save(buffer, "PNG", exif=exif)
    return buffer.getvalue()


def _post(attached: Attached, path: str, body: Any) -> httpx2.Response:
    return httpx2.post(attached.url + API + path, json=body, timeout=WAIT_SECONDS)


def _upload(attached: Attached, data: bytes) -> dict[str, Any]:
    files = [("files", ("a.png", data, "image/png"))]
    response = httpx2.post(attached.url + API + "/upload", files=files, timeout=WAIT_SECONDS)
    return _file(path=response.raise_for_status().json()[0])


def _inline(_: Attached, data: bytes) -> dict[str, Any]:
    return _file(url=f"data:image/png;base64,{b64encode(data).decode()}")


def _file(**members: Any) -> dict[str, Any]:
    return {"meta": {"_type": "gradio.FileData"}} | members


def _run(attached: Attached, file: dict[str, Any]) -> httpx2.Response:
    return _post(attached, "/run/parse", {"data": [file]})


def _call(attached: Attached, file: dict[str, Any]) -> httpx2.Response:
    event = _post(attached, "/call/parse", {"data": [file]}).raise_for_status().json()["event_id"]
    return httpx2.get(f"{attached.url}{API}/call/parse/{event}", timeout=WAIT_SECONDS)


def _call_v2(attached: Attached, file: dict[str, Any]) -> httpx2.Response:
    event = _post(attached, "/call/v2/parse", {"image": file}).raise_for_status().json()["event_id"]
    return httpx2.get(f"{attached.url}{API}/call/v2/parse/{event}", timeout=WAIT_SECONDS)


def _join(attached: Attached, file: dict[str, Any]) -> httpx2.Response:
    session = uuid4().hex
    body = {"data": [file], "fn_index": 0, "session_hash": session}
    _post(attached, "/queue/join", body).raise_for_status()
    return _events(attached, session)


def _events(attached: Attached, session: str) -> httpx2.Response:
    url = f"{attached.url}{API}/queue/data?session_hash={session}"
    return httpx2.get(url, timeout=WAIT_SECONDS)


def _expected(picture: Image) -> Any:
    labels = np.where(picture.mean(axis=2) < 128, HAIR, 0)
    labels[: picture.shape[0] // 2, : picture.shape[1] // 2] = FACE
    return labels


def _last_decoded(decoded: Path) -> Any:
    return np.load(max(decoded.iterdir(), key=lambda file: file.stat().st_mtime_ns))


@pytest.mark.parametrize("mode", ["monitor", "enforce"])
@pytest.mark.parametrize("send", [_upload, _inline])
@pytest.mark.parametrize("parse", [_run, _call, _call_v2, _join])
def test_a_parse_has_one_record_and_its_masks_lie_on_the_picture(
    attach: Attach,
    gradio: str,
    decoded: Path,
    turned: bytes,
    replies: list[Any],
    parse: Parse,
    send: Callable[[Attached, bytes], dict[str, Any]],
    mode: str,
) -> None:
    attached = attach(upstream=gradio, preset="gradio", mode=mode)
    response = parse(attached, send(attached, turned))
    assert "annotations" in response.text
    (row,) = attached.rows(1)
    assert (row.stage, row.status, row.reasons) == ("parsed", 200, [])
    ((accepted, reply),) = replies
    assert np.array_equal(_last_decoded(decoded), accepted.screening.image)
    assert np.array_equal(reply.parsing.label_map, _expected(accepted.screening.image))
    assert (attached.proxy.uploads.clear(), attached.proxy.calls.clear()) == ([], [])

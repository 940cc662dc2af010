"""A real Gradio behind the proxy: whatever way a picture takes, its parse has one record.

``make gradio`` installs it beside; ``MASKWATCH_TEST_GRADIO`` names another interpreter with one.
"""

import os
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import numpy as np
import pytest
from PIL import Image as Pillow

from detectors.parsing import Image
from inference.pipeline import Pipeline
from inference.refusals import FINDING_ENFORCED
from inference.results.outcomes import Accepted, Reply
from tests.browsers import open_browser
from tests.inference.http.proxy.conftest import WAIT_SECONDS, Attach, Attached
from tests.ports import reserved_port
from tests.waiting import wait_for

API = "/gradio_api"
HAIR, FACE = 2, 13
Parse = Callable[[Attached, dict[str, Any]], httpx2.Response]


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the application keeps what it decoded."""
    return tmp_path_factory.mktemp("decoded")


@pytest.fixture(scope="module")
def gradio(decoded: Path, gradio_python: str) -> Iterator[str]:
    if not Path(gradio_python).exists():
        pytest.skip("Gradio is not installed: `make gradio` installs it")
    script = Path(__file__).with_name("gradio_page.py")
    folder = decoded.parent / "gradio"
    environment = {
        **os.environ,
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": str(folder),
    }
    with reserved_port() as port:
        command = [gradio_python, str(script), str(port), str(decoded)]
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


def _need_gradio_6(gradio: str) -> None:
    if httpx2.get(f"{gradio}/config").json()["version"].startswith("5."):
        pytest.skip("Gradio 5 has no such call")


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


def _encode(picture: Any) -> bytes:
    buffer = BytesIO()
    Pillow.fromarray(picture).save(buffer, "PNG")
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
    if parse is _call_v2:
        _need_gradio_6(gradio)
    attached = attach(upstream=gradio, preset="gradio", mode=mode)
    response = parse(attached, send(attached, turned))
    assert "annotations" in response.text
    (row,) = attached.rows(1)
    assert (row.stage, row.status, row.reasons) == ("parsed", 200, [])
    ((accepted, reply),) = replies
    assert np.array_equal(_last_decoded(decoded), accepted.screening.image)
    assert np.array_equal(reply.parsing.label_map, _expected(accepted.screening.image))
    assert (attached.proxy.uploads.clear(), attached.proxy.calls.clear()) == ([], [])


@pytest.mark.parametrize("path", ["/etc/passwd", "/tmp/gradio/0/a.png"])  # noqa: S108
@pytest.mark.parametrize("mode", ["monitor", "enforce"])
def test_a_path_that_was_not_uploaded_here_is_refused(
    attach: Attach, gradio: str, path: str, mode: str
) -> None:
    attached = attach(upstream=gradio, preset="gradio", mode=mode)
    for call in ("/run/parse", "/call/parse"):
        response = _post(attached, call, {"data": [_file(path=path)]})
        assert (response.status_code, response.json()["type"]) == (
            422,
            "urn:maskwatch:problem:address_instead",
        )


def test_a_path_that_was_uploaded_past_the_proxy_is_refused(
    attach: Attach, gradio: str, turned: bytes
) -> None:
    attached = attach(upstream=gradio, preset="gradio")
    files = [("files", ("a.png", turned, "image/png"))]
    path = httpx2.post(f"{gradio}{API}/upload", files=files).json()[0]
    assert _run(attached, _file(path=path)).status_code == 422


def test_a_picture_may_be_called_again(attach: Attach, gradio: str, turned: bytes) -> None:
    attached = attach(upstream=gradio, preset="gradio")
    file = _upload(attached, turned)
    ids = [_run(attached, file).headers["maskwatch-request-id"] for _ in range(2)]
    assert [row.request_id for row in attached.rows(2)] == ids


def test_an_upload_without_a_call_is_recorded_alone(
    attach: Attach, gradio: str, turned: bytes
) -> None:
    attached = attach(upstream=gradio, preset="gradio", kept_seconds=1)
    file = _upload(attached, turned)
    (row,) = attached.rows(1)
    assert (row.stage, row.status, row.reasons) == ("gate", 200, [])
    assert _run(attached, file).status_code == 422


def test_a_call_whose_result_nobody_fetches_is_recorded_as_not_read(
    attach: Attach, gradio: str, turned: bytes
) -> None:
    attached = attach(upstream=gradio, preset="gradio", kept_seconds=1)
    _post(attached, "/call/parse", {"data": [_upload(attached, turned)]})
    (row,) = attached.rows(1)
    assert (row.stage, row.status, row.reasons) == ("gate", 200, ["answer_not_read"])


def test_what_waits_is_recorded_when_the_proxy_ends(
    attach: Attach, gradio: str, turned: bytes, replies: list[Any]
) -> None:
    attached = attach(upstream=gradio, preset="gradio")
    _upload(attached, turned)
    _post(attached, "/call/parse", {"data": [_inline(attached, turned)]})
    attached.proxy.record_alone(attached.proxy.uploads.clear())
    attached.proxy.record_unread(attached.proxy.calls.clear())
    assert [reply.reasons for _, reply in replies] == [(), ("answer_not_read",)]


@pytest.mark.parametrize("mode", ["monitor", "enforce"])
def test_a_call_that_fails_passes_and_is_recorded_as_not_read(
    attach: Attach, gradio: str, turned: bytes, mode: str
) -> None:
    attached = attach(upstream=gradio, preset="gradio", mode=mode)
    file = _upload(attached, turned)
    event = _post(attached, "/call/fail", {"data": [file]}).json()["event_id"]
    events = httpx2.get(f"{attached.url}{API}/call/fail/{event}", timeout=WAIT_SECONDS)
    assert "event: error" in events.text
    (row,) = attached.rows(1)
    assert row.reasons == ["answer_not_read"]


def test_several_calls_of_a_session_have_their_own_results(
    attach: Attach, gradio: str, figure: Image, turned: bytes, replies: list[Any]
) -> None:
    attached = attach(upstream=gradio, preset="gradio")
    other = _encode(np.ascontiguousarray(255 - figure[:, : figure.shape[1] // 2]))
    session = uuid4().hex
    for data in (turned, other):
        body = {"data": [_upload(attached, data)], "fn_index": 0, "session_hash": session}
        _post(attached, "/queue/join", body)
    assert _events(attached, session).text.count("process_completed") == 2
    assert [row.stage for row in attached.rows(2)] == ["parsed", "parsed"]
    for accepted, reply in replies:
        assert np.array_equal(reply.parsing.label_map, _expected(accepted.screening.image))


@pytest.mark.parametrize("mode", ["monitor", "enforce"])
@pytest.mark.parametrize("send", [_upload, _inline])
def test_each_picture_of_a_call_has_its_own_parse(
    attach: Attach,
    gradio: str,
    figure: Image,
    replies: list[Any],
    send: Callable[[Attached, bytes], dict[str, Any]],
    mode: str,
) -> None:
    attached = attach(upstream=gradio, preset="gradio", mode=mode)
    pictures = [figure, np.ascontiguousarray(255 - figure[:, : figure.shape[1] // 2])]
    files = [send(attached, _encode(picture)) for picture in pictures]
    for path in ("/run/both", "/call/both"):
        response = _post(attached, path, {"data": files}).raise_for_status()
        if path.startswith("/call"):
            url = f"{attached.url}{API}{path}/{response.json()['event_id']}"
            response = httpx2.get(url, timeout=WAIT_SECONDS)
        assert response.text.count("annotations") == 2
    assert [row.stage for row in attached.rows(4)] == ["parsed"] * 4
    for accepted, reply in replies:
        assert np.array_equal(reply.parsing.label_map, _expected(accepted.screening.image))


@pytest.mark.parametrize("mode", ["monitor", "enforce"])
def test_a_result_of_a_session_is_not_tied_by_the_path_of_its_stream(
    attach: Attach, gradio: str, turned: bytes, mode: str
) -> None:
    # Gradio 5 has no stream of such a call by its path.
    _need_gradio_6(gradio)
    attached = attach(upstream=gradio, preset="gradio", mode=mode)
    body = {"data": [_upload(attached, turned)], "session_hash": uuid4().hex}
    event = _post(attached, "/call/parse", body).json()["event_id"]
    events = httpx2.get(f"{attached.url}{API}/call/parse/{event}", timeout=WAIT_SECONDS)
    assert ("annotations" in events.text) is (mode == "monitor")
    (row,) = attached.rows(1)
    assert row.reasons == ["answer_not_read"]


@pytest.mark.parametrize("parse", [_run, _call, _join])
def test_a_parse_that_is_refused_does_not_leave(
    attach: Attach, gradio: str, turned: bytes, monkeypatch: pytest.MonkeyPatch, parse: Parse
) -> None:
    judge = Pipeline.judge_reply

    def refuse(self: Pipeline, accepted: Accepted, reply: Reply) -> Any:
        return replace(judge(self, accepted, reply), refusal=FINDING_ENFORCED)

    monkeypatch.setattr(Pipeline, "judge_reply", refuse)
    attached = attach(upstream=gradio, preset="gradio", mode="enforce")
    response = parse(attached, _upload(attached, turned))
    assert "annotations" not in response.text
    assert FINDING_ENFORCED.sentence in response.text
    attached.rows(1)


@pytest.mark.parametrize("mode", ["monitor", "enforce"])
def test_a_parse_that_comes_in_parts_is_checked_once_it_is_whole(
    attach: Attach, gradio: str, turned: bytes, mode: str
) -> None:
    attached = attach(upstream=gradio, preset="gradio", mode=mode)
    file = _upload(attached, turned)
    event = _post(attached, "/call/slowly", {"data": [file]}).json()["event_id"]
    events = httpx2.get(f"{attached.url}{API}/call/slowly/{event}", timeout=WAIT_SECONDS)
    assert "event: complete" in events.text
    assert ("event: generating" in events.text) is (mode == "monitor")
    (row,) = attached.rows(1)
    assert (row.stage, row.reasons) == ("parsed", [])


@pytest.mark.parametrize("mode", ["monitor", "enforce"])
def test_calls_without_pictures_pass_unrecorded(attach: Attach, gradio: str, mode: str) -> None:
    attached = attach(upstream=gradio, preset="gradio", mode=mode)
    event = _post(attached, "/call/say", {"data": ["hello"]}).json()["event_id"]
    events = httpx2.get(f"{attached.url}{API}/call/say/{event}", timeout=WAIT_SECONDS)
    assert 'data: ["hello"]' in events.text
    assert attached.rows(0) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/component_server"),
        ("POST", "/process_recording"),
        ("POST", "/vibe-edit"),
        ("POST", "/%71ueue/join"),
        ("GET", "/queue/%64ata"),
        ("GET", "/call/parse/%65"),
    ],
)
def test_other_ways_are_unknown_routes(attach: Attach, gradio: str, method: str, path: str) -> None:
    attached = attach(upstream=gradio, preset="gradio", mode="enforce")
    body = b"{}" if method == "POST" else b""
    response = httpx2.request(method, attached.url + API + path, content=body)
    assert response.json()["type"] == "urn:maskwatch:problem:ungated_route"


def test_a_browser_uses_the_page_through_the_proxy(
    attach: Attach, gradio: str, turned: bytes, tmp_path: Path
) -> None:
    attached = attach(upstream=gradio, preset="gradio", mode="enforce")
    picture = tmp_path / "a.png"
    picture.write_bytes(turned)
    with open_browser() as browser:
        page = browser.new_page()
        page.goto(attached.url, wait_until="domcontentloaded")
        page.locator("input[type=file]").first.set_input_files(picture)
        page.locator("img[src*='file=']").first.wait_for()
        page.get_by_role("button", name="Parse").click()
        page.get_by_role("button", name="Face").wait_for()
    (row,) = attached.rows(1)
    assert (row.stage, row.reasons) == ("parsed", [])

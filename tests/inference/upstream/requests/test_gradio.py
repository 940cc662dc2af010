"""Gradio's calls: data URLs are pictures, paths are named, addresses are refused."""

import json
from base64 import b64encode
from typing import Any

import pytest

from inference.refusals import ADDRESS_INSTEAD, PICTURE_ELSEWHERE, TOO_MANY_PICTURES, Refusal
from inference.upstream.requests.form_parts import FormPart, write_parts
from inference.upstream.requests.sent_request import SentPath, SentRequest
from tests.inference.upstream.requests.conftest import door_of, read, refusal_of

_JOIN = door_of("gradio", "/gradio_api/queue/join")
_PATH = "/srv/gradio/0a1b/\u00fc b.png"
_META = {"_type": "gradio.FileData"}


def _body(*data: Any) -> bytes:
    return json.dumps({"data": data, "fn_index": 2, "session_hash": "x1y2"}).encode()


def _call(*data: Any) -> SentRequest:
    return read(_JOIN, _body(*data), "application/json")


def _url(picture: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{b64encode(picture).decode()}"


def _file(**members: Any) -> dict[str, Any]:
    return {"path": None, "url": None, "orig_name": "a.png", "meta": _META} | members


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/gradio_api/upload", "upload"),
        ("/upload", "upload"),
        ("/gradio_api/call/parse", "call"),
        ("/gradio_api/call/v2/parse", "call"),
        ("/gradio_api/run/parse/", "run"),
        ("/gradio_api/queue/join", "join"),
    ],
)
def test_every_way_in_for_pictures_is_a_door(path: str, door: str) -> None:
    assert (door_of("gradio", path).name, door_of("gradio", path).kind) == (door, "picture")


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/gradio_api/queue/data", "events"),
        ("/gradio_api/call/parse/3f2a", "events"),
        ("/gradio_api/file=/srv/gradio/0a/b.png", "files"),
    ],
)
def test_events_and_files_are_plain(path: str, door: str) -> None:
    assert door_of("gradio", path, "GET").name == door
    assert door_of("gradio", path, "GET").kind == "plain"


def test_an_upload_may_hold_several_files(jpeg: bytes, png: bytes) -> None:
    form = write_parts(
        [FormPart("files", "a.jpg", None, jpeg), FormPart("files", "b.png", None, png)]
    )
    sent = read(door_of("gradio", "/gradio_api/upload"), form.data, form.content_type)
    assert [upload.data for upload in sent.uploads] == [jpeg, png]


def test_data_urls_are_pictures_wherever_they_are(jpeg: bytes, png: bytes) -> None:
    sent = _call(_file(url=_url(jpeg, "image/jpeg")), [{"image": _url(png, "image/png")}], "words")
    assert [upload.data for upload in sent.uploads] == [jpeg, png]
    assert sent.paths == ()
    data = json.loads(sent.rebuild([png, jpeg]).data)["data"]
    assert data[0] == _file(url=_url(png, "image/png"))
    assert data[1:] == [[{"image": _url(jpeg, "image/jpeg")}], "words"]


def test_a_path_is_named_with_its_place_and_goes_on() -> None:
    for url in (
        None,
        f"http://host:7860/gradio_api/file={_PATH}",
        "/file=/srv/gradio/0a1b/%C3%BC%20b.png",
    ):
        sent = _call("a", {"background": _file(path=_PATH, url=url)})
        assert sent.uploads == ()
        assert sent.paths == (SentPath("/data/1/background/path", _PATH),)
        assert json.loads(sent.rebuild().data) == json.loads(
            _body("a", {"background": _file(path=_PATH, url=url)})
        )


def test_a_path_beside_a_data_url_is_named_too(jpeg: bytes) -> None:
    sent = _call(_file(path=_PATH, url=_url(jpeg, "image/jpeg")))
    assert len(sent.uploads) == len(sent.paths) == 1


@pytest.mark.parametrize(
    "file",
    [
        _file(path="http://a.example/b.png"),
        _file(path=" https://a.example/b.png"),
        _file(path="//a.example/b.png"),
        _file(path="file:///etc/passwd"),
        _file(url="http://a.example/b.png"),
        _file(url="/gradio_api/file=/etc/passwd"),
        _file(path=_PATH, url="http://a.example/b.png"),
        _file(path=_PATH, url=f"/gradio_api/proxy=http://a.example/file={_PATH}"),
        _file(path=_PATH, url=f"/gradio_api/%70roxy=http://a.example/file={_PATH}"),
        _file(path="", url="http://a.example/file="),
    ],
)
def test_addresses_are_refused(file: dict[str, Any]) -> None:
    assert refusal_of(_JOIN, _body(file), "application/json") == ADDRESS_INSTEAD


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (["/9j/4AAQSkZJRgABAQAAAQAB"], PICTURE_ELSEWHERE),
        (["data:;base64,AAAA"] * 9, TOO_MANY_PICTURES),
    ],
)
def test_other_calls_are_refused(data: list[Any], refusal: Refusal) -> None:
    assert refusal_of(_JOIN, _body(*data), "application/json") == refusal


def test_a_call_without_pictures_passes() -> None:
    sent = _call("a prompt with http://a.example/b.png in it", 3, None)
    assert (sent.uploads, sent.paths) == ((), ())

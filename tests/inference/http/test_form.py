"""Forms of clients that are odd, hostile or both."""

import codecs
from collections.abc import Iterator
from contextlib import suppress
from threading import current_thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_multipart.multipart import MultipartParser
from starlette.testclient import TestClient

from detectors.parsing import Image
from inference.http import form
from inference.http.form import SentForm
from inference.http.parameters import read_parameters
from inference.refusals import (
    FORM_CUT_OFF,
    FORM_TOO_LARGE,
    NO_FILE,
    NOT_MULTIPART,
    SECOND_FILE,
    WRONG_FIELD,
    Refusal,
    Refused,
)
from inference.service import Service
from inference.upload import Upload
from store.requests.records import Stage
from tests.inference.http.conftest import Encode, part, stored_row

_FIELDS = ("file", "image", "img", "upload", "files[]")
_OTHER_NAME = WRONG_FIELD.saying(
    "The file is in a field of another name: send the picture in the field 'file'."
)
_JSON = b"Content-Type: application/json"
_FILE = b'form-data; name="file"; filename="a.png"'


def _read(*parts: bytes, end: bytes = b"--b--\r\n") -> Upload:
    return SentForm(b"b", [b"".join(parts) + end], _FIELDS).read_upload()


def _refusal(*parts: bytes, end: bytes = b"--b--\r\n") -> Refusal:
    with pytest.raises(Refused) as refused:
        _read(*parts, end=end)
    return refused.value.refusal


def test_the_file_comes_with_what_was_said_of_it_and_hashed() -> None:
    text = part(b'form-data; name="note"', b"hello")
    upload = _read(text, part(_FILE, b"\r\n--data", b"Content-Type: image/png"), text)
    assert (upload.data, upload.declared_type) == (b"\r\n--data", "image/png")
    assert upload.file_name == "a.png"
    assert "sha256" in vars(upload)


def test_text_before_the_first_boundary_is_passed_over() -> None:
    upload = _read(b"For those who cannot read forms:\r\n--\r\n", part(_FILE, b"1"))
    assert upload.data == b"1"


@pytest.mark.parametrize(
    ("names", "file_name"),
    [
        (b"filename*=UTF-8''f%C3%BCr%20dich.png", "f\u00fcr dich.png"),
        (b"filename*=punycode'de'a-b.png", "a-b.png"),
        (b"filename=a.png; filename*=UTF-8''b.png", "a.png"),
        (b"filename*=UTF-8''b.png; filename=a.png", "a.png"),
        (b'filename=""', ""),
        (b'filename*0="a b"; filename*1=".png"', "a b.png"),
        (b"filename*0*=UTF-8''f%C3%BCr; filename*1=dich.png", "f\u00fcrdich.png"),
        (b"filename*1=b.png; filename*0=a", "ab.png"),
    ],
)
def test_the_files_name_is_read_in_both_forms(names: bytes, file_name: str) -> None:
    upload = _read(part(b'form-data; name="file"; ' + names, b"1"))
    assert upload.file_name == file_name


def test_pieces_of_any_size_make_the_same_upload() -> None:
    whole = part(_FILE, bytes(range(256)) * 3) + b"--b--\r\n"
    for size in (1, 2, 7, 1_000):
        chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert SentForm(b"b", chunks, _FIELDS).read_upload().data == bytes(range(256)) * 3


@pytest.mark.parametrize(
    ("parts", "refusal"),
    [
        ([part(b'form-data; name="x"', b"a")] * 33, FORM_TOO_LARGE),
        ([part(_FILE, b"\r\n--bx" * 33)], FORM_TOO_LARGE),
        ([part(_FILE, b"\r\n--b" + b" \t" * 32)], FORM_TOO_LARGE),
        ([part(b'form-data; name="x"', b"a" * 20_000), part(_FILE, b"1")], FORM_TOO_LARGE),
        ([part(b'form-data; name="x"', b"a" * 9_000)] * 2, FORM_TOO_LARGE),
        ([part(_FILE, b"1"), part(_FILE, b"2")], SECOND_FILE),
        ([part(_FILE, b"1"), part(b'form-data; name="image"; filename="a"', b"2")], SECOND_FILE),
        ([part(b'form-data; name="x"; filename="a"', b"1")], _OTHER_NAME),
        ([part(b'form-data; name="x"; filename=""', b"1")], _OTHER_NAME),
        ([part(_FILE, b"1"), part(b'form-data; name="image"; filename=""', b"2")], SECOND_FILE),
        ([part(b'form-data; name="file"; filename=""', b"")], NO_FILE),
        ([part(b'form-data; name="x"; filename="a"', b"a" * 20_000, _JSON)], FORM_TOO_LARGE),
        ([part(b'form-data; name="file"; filename*1="a"', b"1")], NO_FILE),
        ([part(b'form-data; name="file"', b"1")], NO_FILE),
        ([part(b'form-data; name="image"', b"a" * 20_000)], NO_FILE),
        ([part(_FILE, b"1", *[b"X: a"] * 9)], NOT_MULTIPART),
        ([part(_FILE, b"1", b"X: " + b"a" * 3_000)], NOT_MULTIPART),
        ([b"--b\r\nno header\r\n\r\n"], NOT_MULTIPART),
        ([b"--c\r\n"], NO_FILE),
        ([], NO_FILE),
    ],
)
def test_only_the_file_may_be_large(parts: list[bytes], refusal: Refusal) -> None:
    assert _refusal(*parts) == refusal


def test_a_form_without_its_end_is_incomplete() -> None:
    assert _refusal(part(_FILE, b"half"), end=b"") == FORM_CUT_OFF


@given(
    st.lists(st.binary(max_size=40) | st.sampled_from([b"--b", b"\r\n--b", b"--", b"\r\n", b":"]))
)
def test_any_bytes_make_an_upload_or_a_refusal(pieces: list[bytes]) -> None:
    with suppress(Refused):
        assert isinstance(_read(*pieces, end=b""), Upload)


@pytest.mark.parametrize("name", _FIELDS)
def test_the_field_may_have_each_of_its_names(name: str) -> None:
    disposition = f'form-data; name="{name}"; filename="a.png"'.encode()
    assert _read(part(disposition, b"1")).data == b"1"


def test_parameters_are_read_as_clients_write_them() -> None:
    said = r'form-data; name="a\"b"; filename="C:\fotos;x=y\a.png"; SIZE = 3 ; name=c; odd; e="open'
    assert read_parameters(said) == (
        "form-data",
        {"name": 'a"b', "filename": r"C:\fotos;x=y\a.png", "size": "3", "e": "open"},
    )


@given(st.text(alphabet=';="\\ a', max_size=60))
def test_any_header_has_parameters_or_none(header: str) -> None:
    assert all(name for name in read_parameters(header)[1])


@pytest.fixture
def codecs_asked_for() -> Iterator[list[str]]:
    """Names of codecs that Python does not know and was asked for."""
    names: list[str] = []
    codecs.register(names.append)
    yield names
    codecs.unregister(names.append)


@pytest.mark.parametrize("charset", ["made_up_by_a_client", "punycode", "undefined", "idna"])
def test_nothing_that_a_client_names_is_a_codec(
    client: TestClient, figure: Image, encode: Encode, codecs_asked_for: list[str], charset: str
) -> None:
    name = f'form-data; name="x0-\u00fc{"." * 70}"'.encode()
    odd = [b"Content-Type: text/plain; charset=" + charset.encode()]
    file = part(_FILE, encode(figure), b"Content-Type: image/png; charset=" + charset.encode())
    kind = f"multipart/form-data; charset={charset}; boundary=b"
    body = part(name, b"a..b\xff", *odd) + file + b"--b--\r\n"
    response = client.post("/v1/parse", content=body, headers={"Content-Type": kind})
    assert response.status_code == 200
    assert codecs_asked_for == []


def test_a_form_is_taken_apart_in_a_thread_for_that(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []

    class Noticed(MultipartParser):
        def write(self, data: bytes) -> int:
            names.append(current_thread().name)
            return super().write(data)

    monkeypatch.setattr(form, "MultipartParser", Noticed)
    client.post("/v1/parse", files={"file": ("a.png", b"no picture")})
    assert [name.rpartition("_")[0] for name in names] == ["maskwatch-forms"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=b; charset=undefined", b"--b\r\nbroken"),
        ("multipart/form-data; boundary=b; charset=idna", part(b"form-data", b"a" * 20_000)),
        ("multipart/form-data; boundary*=utf-7''b", b"--b--\r\n"),
        ("multipart/form-data; boundary=\u00e9", b"--b--\r\n"),
    ],
)
def test_whatever_is_wrong_with_a_body_is_a_recorded_refusal(
    client: TestClient, service: Service, kind: str, body: bytes
) -> None:
    headers = {b"Content-Type": kind.encode("latin-1")}
    response = client.post("/v1/parse", content=body, headers=headers)
    code = response.json()["type"].rpartition(":")[2]
    assert response.status_code == 400
    assert stored_row(service, response.json()["request_id"]).reasons == [code]


@pytest.mark.parametrize("digits", ["9" * 5_000, "0" * 5_000 + "99999999"])
def test_a_declared_length_of_thousands_of_digits_is_read_by_its_length(
    client: TestClient, digits: str
) -> None:
    headers = {"Content-Length": digits, "Content-Type": "multipart/form-data; boundary=b"}
    assert client.post("/v1/parse", content=b"", headers=headers).status_code == 413


def test_a_fault_beside_the_pipeline_is_recorded_too(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: SentForm) -> Upload:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(SentForm, "read_upload", broken)
    response = client.post("/v1/parse", files={"file": ("a.png", b"1")})
    assert response.status_code == 500
    assert "secret" not in response.text
    row = stored_row(service, response.json()["request_id"])
    assert (row.stage, row.reasons) == (Stage.FAILED, ["fault"])
    faults = "maskwatch_faults_total"
    assert service.metrics.registry.get_sample_value(faults, {"part": "reading"}) == 1


@pytest.mark.parametrize(
    "other",
    [
        part(b'form-data; name="mask"; filename=""', b""),
        part(b'form-data; name="image"; filename=""', b""),
        part(b'form-data; name="meta"; filename="blob"', b"{}", _JSON),
        part(b'form-data; name="meta"; filename="a.txt"', b"words", b"Content-Type: text/plain"),
    ],
)
@pytest.mark.parametrize("comes_first", [True, False])
def test_what_is_no_picture_beside_it_is_passed_over(other: bytes, *, comes_first: bool) -> None:
    file = part(_FILE, b"1")
    assert _read(*([other, file] if comes_first else [file, other])).data == b"1"


def test_a_file_of_another_type_in_the_pictures_field_is_the_gates_to_judge() -> None:
    assert _read(part(_FILE, b"{}", _JSON)).data == b"{}"


def test_a_name_with_a_charset_is_a_name() -> None:
    assert _read(part(b"form-data; name*=utf-8''file; filename=a.png", b"1")).data == b"1"

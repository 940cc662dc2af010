"""Pictures in forms, by the shipped presets."""

import pytest

from inference.refusals import (
    FORM_TOO_LARGE,
    NO_FILE,
    NO_PICTURE,
    PICTURE_ELSEWHERE,
    TOO_MANY_BYTES,
    TOO_MANY_PICTURES,
    Refusal,
)
from inference.upstream.requests.form_parts import FormPart
from tests.inference.upstream.requests.bodies import (
    FORM_DOOR,
    make_door,
    make_file,
    make_form,
    read_again,
    to_base64,
)
from tests.inference.upstream.requests.conftest import read, refusal_of

_NOTE = FormPart("note", None, None, b"hello")


def test_a_form_goes_on_with_the_picture_as_it_came(jpeg: bytes) -> None:
    body, content_type = make_form(_NOTE, make_file(jpeg))
    sent = read(FORM_DOOR, body, content_type)
    (upload,) = sent.uploads
    assert (upload.data, upload.declared_type, upload.file_name) == (jpeg, "image/jpeg", "a.jpg")
    assert "sha256" in vars(upload)
    rebuilt = sent.rebuild()
    assert rebuilt.content_type != content_type
    assert read_again(rebuilt.data, rebuilt.content_type) == (_NOTE, make_file(jpeg))


def test_a_form_goes_on_with_another_picture_declared_and_named_as_what_it_is(
    jpeg: bytes, png: bytes
) -> None:
    sent = read(FORM_DOOR, *make_form(make_file(jpeg, file_name="a.b.jpg"), _NOTE))
    rebuilt = sent.rebuild([png])
    assert read_again(rebuilt.data, rebuilt.content_type) == (
        FormPart("image", "a.b.png", "image/png", png),
        _NOTE,
    )


def test_what_the_client_declares_of_a_picture_does_not_go_on(png: bytes) -> None:
    sent = read(FORM_DOOR, *make_form(FormPart("file", "a.html", "text/html", png)))
    rebuilt = sent.rebuild()
    (part,) = read_again(rebuilt.data, rebuilt.content_type)
    assert (part.file_name, part.media_type) == ("a.png", "image/png")


def test_as_many_files_come_back_as_pictures_were_sent(jpeg: bytes) -> None:
    sent = read(FORM_DOOR, *make_form(make_file(jpeg)))
    with pytest.raises(ValueError, match="2 files for 1 pictures"):
        sent.rebuild([jpeg, jpeg])


def test_a_field_in_which_no_file_was_chosen_is_no_picture(jpeg: bytes) -> None:
    empty = FormPart("file", "", "application/octet-stream", b"")
    assert len(read(FORM_DOOR, *make_form(empty, make_file(jpeg))).uploads) == 1
    assert refusal_of(FORM_DOOR, *make_form(empty)) == NO_PICTURE


@pytest.mark.parametrize(
    ("parts", "refusal"),
    [
        ([_NOTE], NO_PICTURE),
        ([make_file(b"1"), make_file(b"2")], TOO_MANY_PICTURES),
        ([make_file(b"1"), make_file(b"2", "file")], TOO_MANY_PICTURES),
        ([make_file(b"1"), FormPart("image", None, None, b"2")], NO_FILE),
        ([make_file(b"1"), make_file(b"2", "mask")], PICTURE_ELSEWHERE),
        ([make_file(b"1"), make_file(b"2", "IMAGE")], PICTURE_ELSEWHERE),
        (
            [make_file(b"1"), FormPart("x", "", None, b"2")],
            PICTURE_ELSEWHERE,
        ),
        ([make_file(b"1"), FormPart("x", None, None, b"\xff\xd8\xff")], PICTURE_ELSEWHERE),
        (
            [make_file(b"1"), FormPart("x", None, None, b"data:image/png;base64,AA==")],
            PICTURE_ELSEWHERE,
        ),
        ([make_file(b"1"), FormPart("x", None, None, b"a" * 2_001)], FORM_TOO_LARGE),
        ([make_file(b"1" * 100_001)], TOO_MANY_BYTES),
    ],
)
def test_a_form_with_pictures_in_other_ways_is_refused(
    parts: list[FormPart], refusal: Refusal
) -> None:
    assert refusal_of(FORM_DOOR, *make_form(*parts)) == refusal


def test_a_form_may_hold_the_picture_as_text(jpeg: bytes, png: bytes) -> None:
    door = make_door(body="form", names=("image",), coding="data_url")
    text = f"data:image/jpeg;base64,{to_base64(jpeg)}"
    sent = read(door, *make_form(FormPart("image", None, None, text.encode())))
    assert sent.uploads[0].data == jpeg
    rebuilt = sent.rebuild([png])
    (part,) = read_again(rebuilt.data, rebuilt.content_type)
    assert part.data.decode() == f"data:image/png;base64,{to_base64(png)}"
    assert refusal_of(door, *make_form(make_file(jpeg))) == PICTURE_ELSEWHERE

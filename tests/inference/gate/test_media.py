from hypothesis import given
from hypothesis import strategies as st

from inference.gate.media import MediaType, detect


def test_names_jpeg_png_and_webp_by_their_first_bytes() -> None:
    assert detect(b"\xff\xd8\xff\xe0rest") is MediaType.JPEG
    assert detect(b"\x89PNG\r\n\x1a\nrest") is MediaType.PNG
    assert detect(b"RIFF\x00\x00\x00\x00WEBPVP8 ") is MediaType.WEBP


def test_other_riff_files_are_not_webp() -> None:
    assert detect(b"RIFF\x00\x00\x00\x00WAVEfmt ") is None


@given(st.binary(max_size=64))
def test_any_bytes_have_a_type_or_none(data: bytes) -> None:
    found = detect(data)
    assert found is None or found in MediaType

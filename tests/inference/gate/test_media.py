import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.gate.media import (
    PILLOW_FORMATS,
    MediaType,
    declares_otherwise,
    detect,
    names_otherwise,
)

STARTS = {
    b"\xff\xd8\xff": MediaType.JPEG,
    b"\x89PNG\r\n\x1a\n": MediaType.PNG,
    b"RIFF\x12\x34\x56\x78WEBP": MediaType.WEBP,
    b"GIF87a": MediaType.GIF,
    b"GIF89a": MediaType.GIF,
    b"BM": MediaType.BMP,
    b"II*\0": MediaType.TIFF,
    b"MM\0*": MediaType.TIFF,
}
TYPES = st.sampled_from(MediaType)


@given(st.sampled_from(sorted(STARTS)), st.binary(max_size=64))
def test_the_first_bytes_decide_whatever_follows(start: bytes, rest: bytes) -> None:
    assert detect(start + rest) is STARTS[start]


@given(st.sampled_from(sorted(STARTS)), st.binary(max_size=64))
def test_a_start_that_breaks_off_names_nothing(start: bytes, rest: bytes) -> None:
    for length in range(len(start)):
        assert detect(start[:length]) is None
    assert detect(b"\0" + start + rest) is None


@given(st.binary(max_size=64))
def test_any_bytes_have_a_type_or_none(data: bytes) -> None:
    known = [kind for start, kind in STARTS.items() if data.startswith(start)]
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    expected = [MediaType.WEBP] if webp else known
    assert detect(data) is (expected[0] if expected else None)


@pytest.mark.parametrize(
    "data",
    [
        b"RIFF\0\0\0\0WAVEfmt ",
        b"RIFX\0\0\0\0WEBP",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"\0\0\0\x0cjP  \r\n",
        b"\0\0\0\x1cftypheic",
    ],
)
def test_other_files_have_no_type(data: bytes) -> None:
    assert detect(data) is None


def test_every_type_has_a_decoder() -> None:
    assert set(PILLOW_FORMATS) == set(MediaType)
    assert len(set(PILLOW_FORMATS.values())) == len(MediaType)


@given(TYPES, TYPES, st.sampled_from(["", "; charset=x", " ", " ;q=1"]), st.booleans())
def test_a_declared_type_differs_unless_it_is_the_files_own(
    declared: MediaType, found: MediaType, parameters: str, shouted: bool
) -> None:
    text = (declared.value.upper() if shouted else declared.value) + parameters
    assert declares_otherwise(text, found) is (declared is not found)


@given(TYPES, st.sampled_from([None, "", " ", "application/octet-stream", ";charset=x"]))
def test_who_does_not_know_declares_nothing(found: MediaType, declared: str | None) -> None:
    assert not declares_otherwise(declared, found)


@pytest.mark.parametrize(
    ("declared", "own"),
    [
        ("image/jpg", MediaType.JPEG),
        ("image/pjpeg", MediaType.JPEG),
        ("image/x-png", MediaType.PNG),
    ],
)
def test_old_names_count(declared: str, own: MediaType) -> None:
    for found in MediaType:
        assert declares_otherwise(declared, found) is (found is not own)


@given(st.text(min_size=1), TYPES)
def test_any_other_declaration_differs(declared: str, found: MediaType) -> None:
    assert declares_otherwise("text/" + declared, found)


@given(st.text(), st.sampled_from(["png", "PNG", "apng"]), TYPES)
def test_a_suffix_names_a_type(stem: str, suffix: str, found: MediaType) -> None:
    assert names_otherwise(f"{stem}.{suffix}", found) is (found is not MediaType.PNG)


@pytest.mark.parametrize(
    ("suffixes", "own"),
    [
        ("jpg jpeg jpe jfif JPG", MediaType.JPEG),
        ("webp", MediaType.WEBP),
        ("gif", MediaType.GIF),
        ("bmp", MediaType.BMP),
        ("tif tiff", MediaType.TIFF),
    ],
)
def test_every_type_has_its_suffixes(suffixes: str, own: MediaType) -> None:
    for suffix in suffixes.split():
        assert [names_otherwise(f"a.{suffix}", found) for found in MediaType] == [
            found is not own for found in MediaType
        ]


@given(st.text().filter(lambda name: "." not in name), TYPES)
def test_a_name_without_a_suffix_says_nothing(name: str, found: MediaType) -> None:
    assert not names_otherwise(name, found)


@pytest.mark.parametrize(
    "name", ["john.doe", "IMG.20240501", "photo.jpg.1", "a.", ".", "v1.2", "a.heic", "photo.jpg "]
)
def test_a_suffix_that_nobody_knows_says_nothing(name: str) -> None:
    assert not any(names_otherwise(name, found) for found in MediaType)


@pytest.mark.parametrize(
    "name", ["photo.jpg.exe", "x.php", "photo.jpg.html", "a.svg", "A.PHP", ".js", "a.zip"]
)
def test_programs_and_documents_are_no_pictures(name: str) -> None:
    assert all(names_otherwise(name, found) for found in MediaType)

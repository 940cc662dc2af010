"""Paths are compared as they are on the wire."""

import pytest

from inference.upstream.presets.doors import find_door
from inference.upstream.presets.paths import check_path, fits_path
from inference.upstream.presets.preset import Door, PicturePlace, Preset

_DOUBTFUL = (
    *("..", ".", "...", "%2e%2e", ".%2E", "a%2fb", "a%5Cb", "%61", "%2561", "a;b", "a%3Bb", "a\\b"),
    *("a%00", "a%0d%0a", "", "a\n", "a?b", "a#b", "%", "%zz", "\xe9"),
)


@pytest.mark.parametrize("segment", _DOUBTFUL)
@pytest.mark.parametrize("pattern", ["/static/*", "/static/**", "/static/x/**", "/static/a*"])
def test_a_wildcard_fits_nothing_that_may_lead_elsewhere(pattern: str, segment: str) -> None:
    assert not fits_path(pattern, f"/static/{segment}".encode("latin-1"))
    assert not fits_path(pattern, f"/static/x/{segment}/predict".encode("latin-1"))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/", "/"),
        ("/predict", "/predict"),
        ("/v1/models/*:predict", "/v1/models/m2fp:predict"),
        ("/models/*/*", "/models/org/m2fp_r101.v2"),
        ("/files/**", "/files/a/b%20c.png"),
        ("/files/**", "/files/a/b/"),
        ("/**", "/a"),
        ("/gradio_api/file=/**", "/gradio_api/file=/tmp/gradio/ab/%E4%BD%A0.png"),
    ],
)
def test_ordinary_paths_fit(pattern: str, path: str) -> None:
    check_path(pattern)
    assert fits_path(pattern, path.encode())


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/predict", "/predict/"),
        ("/predict", "//predict"),
        ("/predict", "/Predict"),
        ("/predict", "/%70redict"),
        ("/predict", "http://other/predict"),
        ("/predict", "*"),
        ("/v1/models/*:predict", "/v1/models/:predict"),
        ("/v1/models/*:predict", "/v1/models/a/b:predict"),
        ("/files/*", "/files/a/b"),
        ("/files/**", "/files"),
        ("/a.b", "/axb"),
    ],
)
def test_other_paths_do_not(pattern: str, path: str) -> None:
    assert not fits_path(pattern, path.encode())


@pytest.mark.parametrize("pattern", ["predict", "", "/a?b", "/a b", "/**/a", "/a**", "/%"])
def test_what_is_no_pattern_is_said(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"is no path|is not its last segment"):
        check_path(pattern)


def test_the_first_door_whose_method_and_path_fit_is_taken() -> None:
    place = PicturePlace(body="raw")
    doors = (
        Door(name="parse", kind="picture", paths=("/parse",), places=(place,)),
        Door(name="rest", kind="plain", paths=("/**",), methods=("POST", "PUT")),
    )
    preset = Preset(name="own", applies_exif=False, doors=doors)
    fits = {
        (method, path): find_door(preset, method, path)
        for method in ("POST", "PUT", "GET", "post")
        for path in (b"/parse", b"/other", b"/../parse")
    }
    assert {key: door.name for key, door in fits.items() if door is not None} == {
        ("POST", b"/parse"): "parse",
        ("POST", b"/other"): "rest",
        ("PUT", b"/parse"): "rest",
        ("PUT", b"/other"): "rest",
    }

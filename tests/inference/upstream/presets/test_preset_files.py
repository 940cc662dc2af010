"""Presets in files: those that are shipped, and what is said of faulty ones."""

from pathlib import Path

import pytest

from inference.upstream.presets.preset_files import (
    PresetError,
    find_preset_file,
    list_preset_files,
    load_preset,
)

_GOOD = """
name = "own"
applies_exif = false

[[doors]]
name = "parse"
kind = "picture"
paths = ["/parse"]

[[doors.places]]
body = "form"
names = ["image"]

[doors.answer]
kind = "label_png"
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "own.toml"


@pytest.mark.parametrize("path", list_preset_files(), ids=lambda path: path.stem)
def test_a_shipped_preset_can_be_loaded_by_its_name(path: Path) -> None:
    preset = load_preset(path.stem)
    assert preset.name == path.stem
    assert preset.summary.endswith(".")
    assert preset.labels.names
    assert preset.labels.unknown == ()


def test_five_are_shipped() -> None:
    names = [path.stem for path in list_preset_files()]
    assert names == ["form", "gradio", "hf", "kserve", "modelscope"]


def test_a_file_of_ones_own_is_loaded_by_its_path(own: Path) -> None:
    own.write_text(_GOOD)
    preset = load_preset(str(own))
    assert preset.doors[0].methods == ("POST",)
    assert preset.doors[0].places[0].coding == "raw"
    assert find_preset_file(str(own)) == own


def test_the_digest_is_that_of_what_a_preset_says(own: Path) -> None:
    own.write_text(_GOOD)
    digest = load_preset(str(own)).digest
    own.write_text("# other words\nsummary = 'x'\n" + _GOOD)
    assert load_preset(str(own)).digest == digest
    own.write_text(_GOOD.replace("image", "file"))
    assert load_preset(str(own)).digest != digest
    assert len(digest) == 64


def test_an_unknown_name_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(PresetError, match="no preset 'fom': take form, gradio, hf, kserve, model"):
        load_preset("fom")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            ("[doors.answer]", "[doors.answers]"),
            "doors[0].answers is not a key that a preset has (the nearest is answer).",
        ),
        (("applies_exif", "applies_exifs"), "applies_exif is missing."),
        (("label_png", "label_jpg"), "doors[0].answer is not usable: "),
        (
            ('kind = "label_png"', 'kind = "tensors"\nlayout = "xy"'),
            "doors[0].answer.layout is not usable: input should be 'chw' or 'hwc'.",
        ),
        (('"form"', '"from"'), "doors[0].places[0].body is not usable: input should be 'form', "),
        (('["image"]', "[]"), "doors[0].places[0] is not usable: names belong to every body but"),
        (('["image"]', '[""]'), "doors[0].places[0] is not usable: a name is empty."),
        (('["image"]', "[1]"), "doors[0].places[0].names[0] is not usable: input should be a val"),
        (('"form"', '"raw"'), "doors[0].places[0] is not usable: names belong to every body but"),
        (('"form"', '"json"\ncoding = "base64"'), "[0] is not usable: 'image' is no JSON pointer"),
        (('"form"', '"json"\ncoding = "raw"'), "doors[0].places[0] is not usable: "),
        (('"form"', '"form"\ncoding = "gradio_file"'), "coding of a form body is base64 or data_"),
        (('"form"', '"form"\nmin_pictures = 2'), "min_pictures is larger than max_pictures."),
        (('"form"', '"form"\nmax_pictures = 0'), "doors[0].places[0].max_pictures is not usable"),
        (('"/parse"', '"parse"'), "doors[0] is not usable: 'parse' is no path: it begins with /"),
        (('"picture"', '"plain"'), "a plain door has neither places nor an answer."),
        (
            ("[[doors.places]]", "[[doors.plces]]"),
            "doors[0].plces is not a key that a preset has (the nearest is places).",
        ),
        (("name =", "names ="), "name is missing."),
        (('"own"', '"Own one"'), "name is not usable: "),
        (("[[doors]]", "[[doors"), "is no TOML: "),
        (("[[doors]]", "[doors]\nx = 1\n[[doors]]"), "is no TOML: "),
    ],
)
def test_a_fault_is_named_with_file_and_key(
    own: Path, change: tuple[str, str], sentence: str
) -> None:
    own.write_text(_GOOD.replace(*change, 1))
    with pytest.raises(PresetError) as error:
        load_preset(str(own))
    assert str(own) in error.value.sentences[0]
    assert any(sentence in each for each in error.value.sentences), error.value.sentences
    assert "\n" not in str(error.value)


def test_every_fault_has_its_sentence(own: Path) -> None:
    own.write_text(_GOOD.replace('"form"', '"from"').replace("label_png", "x"))
    with pytest.raises(PresetError) as error:
        load_preset(str(own))
    assert len(error.value.sentences) == 2


def test_a_file_that_cannot_be_read_is_named(own: Path) -> None:
    with pytest.raises(PresetError, match=r"own\.toml cannot be read: no such file or directory"):
        load_preset(str(own))
    own.write_bytes(b"\xff")
    with pytest.raises(PresetError, match=r"own\.toml is no text in UTF-8"):
        load_preset(str(own))


def test_doors_and_places_are_told_apart(own: Path) -> None:
    own.write_text(_GOOD + _GOOD.partition("\n\n")[2])
    with pytest.raises(PresetError, match="the file is not usable: two doors have one name"):
        load_preset(str(own))
    own.write_text(_GOOD.replace("[doors.answer]", "[[doors.places]]\nbody='raw'\n[doors.answer]"))
    assert [place.body for place in load_preset(str(own)).doors[0].places] == ["form", "raw"]

"""Every kind of answer is recognised, and read by the preset that was learned from it."""

import json
from base64 import b64encode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Pillow

from inference.upstream.answers.formats import AnnotatedImage, PalettePng
from inference.upstream.answers.read_answer import read_answer
from inference.upstream.learning.answers.palettes import order_colours
from inference.upstream.presets.preset_files import load_preset
from tests.inference.upstream.answers.answer_cases import CASES, LABEL_MAP, NAMES, PERSON, SIZE, png
from tests.inference.upstream.learning.conftest import Reload, learn, upload

_PICTURE = png(np.full((*SIZE, 3), 90, np.uint8))
_NOISE = png(np.random.default_rng(1).integers(0, 255, (20, 20, 3), np.uint8))


@pytest.mark.parametrize("name", CASES)
def test_an_answer_leads_to_the_format_that_reads_it(name: str, reload: Reload) -> None:
    case = CASES[name]
    lesson = learn(upload(_PICTURE, case.body, case.content_type))
    preset = reload(lesson)
    form = preset.doors[0].answer
    assert form is not None, lesson.sentences
    assert type(form) is type(case.form), lesson.sentences
    if name == "nested shares":
        return  # the threshold is nothing that an answer shows
    parsing = read_answer(form, preset.labels, case.content_type, case.body, SIZE, case.files)
    names = np.array(parsing.labels)[parsing.label_map]
    if case.has_persons:
        assert "Human" not in parsing.labels
    has_names = bool(set(NAMES) & set(parsing.labels[1:]))
    if has_names:
        expected = np.array(NAMES)[LABEL_MAP]
        assert np.array_equal(names[LABEL_MAP > 0], expected[LABEL_MAP > 0])
    elif not isinstance(form, PalettePng) and "colours" not in name and not case.has_persons:
        assert np.array_equal(parsing.label_map, LABEL_MAP)
    assert np.array_equal(parsing.label_map > 0, PERSON)


def test_names_that_a_shipped_preset_knows_bring_its_whole_list(reload: Reload) -> None:
    body = CASES["scored masks"].body.replace(b"Visage", b"Face").replace(b"tail", b"Hair")
    lesson = learn(upload(_PICTURE, body, "application/json"))
    assert reload(lesson).labels == load_preset("form").labels
    assert any("known from the preset" in sentence for sentence in lesson.sentences)


def test_a_mask_of_the_background_alone_is_a_table_too(reload: Reload) -> None:
    body = json.dumps({"masks": {"bg": b64encode(png(LABEL_MAP * 0 + 255)).decode()}}).encode()
    preset = reload(learn(upload(_PICTURE, body, "application/json")))
    assert preset.labels.names == ("bg", "label_1")


def test_numbers_ask_for_names(reload: Reload) -> None:
    lesson = learn(upload(_PICTURE, png(LABEL_MAP), "image/png"))
    assert reload(lesson).labels.names == ("background", "label_1", "label_2", "label_3")
    assert any("replace `label_1`" in sentence for sentence in lesson.sentences)


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_the_palette_of_pascal_voc_is_known_either_way_round(order: str, reload: Reload) -> None:
    shipped = load_preset("form").doors[0].answer
    assert isinstance(shipped, PalettePng)
    palette = np.array(shipped.palette, np.uint8)
    labels = LABEL_MAP.copy()
    labels[0, 0] = 8
    picture = palette[labels]
    body = png(picture if order == "rgb" else picture[..., ::-1])
    preset = reload(learn(upload(_PICTURE, body, "image/png")))
    form = preset.doors[0].answer
    assert isinstance(form, PalettePng)
    assert (form.order, form.palette) == (order, shipped.palette)
    assert len(preset.labels.names) == len(form.palette)


def test_colours_that_say_nothing_of_their_order_are_said_to() -> None:
    palette = order_colours([(0, 0, 0), (128, 0, 0), (0, 0, 128)])
    assert (palette.order, len(palette.colours)) == ("rgb", 20)
    assert palette.sentence is not None
    assert "could not be told" in palette.sentence


def test_colours_of_several_answers_are_put_together(reload: Reload) -> None:
    colours = np.array([(1, 1, 1), (0, 0, 0), (9, 9, 200), (7, 50, 1)], np.uint8)
    bodies = [png(colours[np.where(label == LABEL_MAP, label, 1)]) for label in (0, 2, 3)]
    lesson = learn(*(upload(_PICTURE, body, "image/png") for body in bodies))
    form = reload(lesson).doors[0].answer
    assert isinstance(form, PalettePng)
    assert (form.palette[0], set(form.palette)) == ((0, 0, 0), set(map(tuple, colours.tolist())))
    assert any("3 of 3 can be read" in sentence for sentence in lesson.sentences)


@pytest.mark.parametrize(
    ("answer", "content_type"),
    [
        (b"<h1>Busy</h1>", "text/html"),
        (b'{"ok": true}', "application/json"),
        (b'{"ok": ', "application/json"),
        (b"", "application/json"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b'{"outputs": [[[[', "application/json"),
        (json.dumps({"a" * 600: b64encode(png(LABEL_MAP)).decode()}).encode(), "application/json"),
        (b'{"masks": [[[1]]], "labels": ["a"]}', "application/json"),
        (_NOISE, "image/png"),
    ],
)
def test_what_is_no_parse_is_said_to_be_none(
    answer: bytes, content_type: str, reload: Reload
) -> None:
    lesson = learn(upload(_NOISE if answer is _NOISE else _PICTURE, answer, content_type))
    assert reload(lesson).doors[0].answer is None
    assert any("no parse was found" in sentence for sentence in lesson.sentences)


def test_masks_in_files_are_not_looked_at(reload: Reload) -> None:
    lesson = learn(upload(_PICTURE, CASES["run"].body, "application/json"))
    assert reload(lesson).doors[0].answer == AnnotatedImage(output=1)
    assert any("were not looked at" in sentence for sentence in lesson.sentences)


@pytest.mark.parametrize("applies_exif", [True, False])
def test_the_size_of_an_answer_tells_whether_pictures_are_turned(
    *, applies_exif: bool, reload: Reload
) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    buffer = BytesIO()
    Pillow.new("RGB", SIZE[::-1]).save(buffer, "JPEG", exif=exif)
    answer = png(LABEL_MAP.T if applies_exif else LABEL_MAP)
    lesson = learn(upload(buffer.getvalue(), answer, "image/png"))
    assert reload(lesson).applies_exif is applies_exif
    assert not any("EXIF" in sentence for sentence in lesson.sentences)


def test_what_could_not_be_told_of_exif_is_said(reload: Reload) -> None:
    lesson = learn(upload(_PICTURE, png(LABEL_MAP), "image/png"))
    assert reload(lesson).applies_exif is False
    assert any("by EXIF could not be told" in sentence for sentence in lesson.sentences)

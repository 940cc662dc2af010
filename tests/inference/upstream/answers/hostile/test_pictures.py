"""Pictures in answers: of other colours, of another size, damaged, or none at all."""

import zlib
from dataclasses import replace

import numpy as np
import pytest

from detectors.parsing import Parsing
from inference.upstream.answers.formats import (
    AnnotatedImage,
    JsonPictures,
    LabelPng,
    MaskList,
    PalettePng,
)
from tests.inference.upstream.answers.answer_cases import (
    CASES,
    LABEL_MAP,
    PALETTE,
    base64,
    colours,
    header_of,
    png,
)
from tests.inference.upstream.answers.hostile.outcomes import read_or_say_why, refusal_sentence


def test_a_colour_of_no_label_is_refused_unless_it_is_near_enough() -> None:
    picture = np.array(PALETTE, dtype=np.uint8)[LABEL_MAP]
    picture[picture == 250] = 247
    assert "palette" in refusal_sentence(PalettePng(palette=PALETTE), png(picture))
    colours_apart = PALETTE[:2] + PALETTE[3:]
    picture[LABEL_MAP == 2] = 0
    form = PalettePng(palette=colours_apart, tolerance=3)
    parsing = read_or_say_why(form, png(picture))
    assert isinstance(parsing, Parsing)
    assert np.array_equal(parsing.label_map, np.array([0, 1, 0, 2])[LABEL_MAP])


def test_colours_that_are_too_close_are_a_fault_of_the_preset() -> None:
    with pytest.raises(ValueError, match="too close"):
        PalettePng(palette=((0, 0, 0), (6, 6, 6)), tolerance=3)


@pytest.mark.parametrize(
    "body",
    [
        header_of(100_000, 100_000),
        header_of(7, 9) + b"\x00" * 40,
        colours()[:-20],
        colours().replace(b"IDAT", b"IDAX"),
        b"\xff\xd8\xff\xe0" + b"\x00" * 40,
        b"<html>no</html>",
        b"",
    ],
)
def test_what_is_no_whole_png_of_the_size_is_refused(body: bytes) -> None:
    refusal_sentence(PalettePng(palette=PALETTE), body)
    refusal_sentence(JsonPictures(pointer=""), {"": base64(body)}[""])


def test_a_second_header_of_a_png_changes_nothing() -> None:
    first = header_of(7, 9)
    second = header_of(30_000, 30_000)[8:]

    def sealed(chunk: bytes) -> bytes:
        return chunk + zlib.crc32(chunk[4:]).to_bytes(4, "big")

    body = first[:8] + sealed(first[8:]) + sealed(second) + png(LABEL_MAP)[33:]
    refusal_sentence(LabelPng(), body)


def test_pictures_of_several_bands_hold_no_labels() -> None:
    assert "in colours" in refusal_sentence(LabelPng(), colours())


@pytest.mark.parametrize(
    "text",
    ["", "data:image/png,abc", "data:image/png;base64", "ä", "====", "abc$", "a", 7, None, ["a"]],
)
def test_what_is_no_picture_in_base64_is_refused(text: object) -> None:
    refusal_sentence(MaskList(), {"masks": [text], "labels": [1]})


def test_an_annotated_image_needs_its_files_and_one_call() -> None:
    case = CASES["call"]
    assert "never fetched" in refusal_sentence(case.form, case.body, content_type=case.content_type)
    twice = replace(case, body=case.body * 2)
    assert "one call" in refusal_sentence(case.form, twice.body, content_type=case.content_type)
    assert "nothing at /7" in refusal_sentence(
        AnnotatedImage(output=7), case.body, content_type=case.content_type
    )

"""Whatever an upstream sends ends in a parsing or in one sentence, in bounded memory."""

import json
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import repeat
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.parsing import Parsing
from inference.labels.label_table import LabelTable
from inference.upstream.answers.answer import Answer
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import (
    AnnotatedImage,
    AnswerFormat,
    CocoRle,
    JsonPictures,
    LabelPng,
    MaskList,
    NestedLists,
    PalettePng,
    ScoredMasks,
    Tensors,
)
from inference.upstream.answers.read_answer import read_answer
from inference.upstream.answers.readers.nested_lists import read_nested_lists
from tests.inference.upstream.answers.answer_cases import (
    CASES,
    LABEL_MAP,
    PALETTE,
    SIZE,
    TABLE,
    base64,
    colours,
    header_of,
    mask_png,
    png,
)

MEGABYTE = 1 << 20
LARGE = (3_000, 4_000)


def _try(
    form: AnswerFormat,
    body: bytes | Iterator[bytes],
    size: tuple[int, int] = SIZE,
    content_type: str = "",
    table: LabelTable = TABLE,
) -> Parsing | str:
    """A parsing, or the sentence that says why there is none."""
    try:
        return read_answer(form, table, content_type, body, size)
    except AnswerUnreadable as error:
        return str(error)


def _sentence(form: AnswerFormat, document: object, **options: Any) -> str:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    outcome = _try(form, body, **options)
    assert isinstance(outcome, str)
    assert outcome.endswith(".")
    assert len(outcome) < 300
    assert "\n" not in outcome
    return outcome


def _check(parsing: Parsing | str) -> None:
    if isinstance(parsing, str):
        return
    assert parsing.label_map.shape == SIZE
    assert parsing.label_map.max() < len(TABLE.names)
    assert np.isfinite(parsing.probabilities).all()
    assert parsing.probabilities.sum(axis=0) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", CASES)
@given(data=st.binary(max_size=400))
def test_any_bytes_end_in_a_parsing_or_a_sentence(name: str, data: bytes) -> None:
    case = CASES[name]
    _check(_try(case.form, data, content_type=case.content_type))


KEYS = (
    *("masks", "labels", "scores", "label", "mask", "size", "counts", "outputs", "shape"),
    *("datatype", "name", "predictions", "image", "path", "annotations", "data", "msg", "output"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 300) | st.floats() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS), children, max_size=4)
    ),
    max_leaves=30,
)


@pytest.mark.parametrize("name", CASES)
@given(document=JSON)
def test_any_json_ends_in_a_parsing_or_a_sentence(name: str, document: object) -> None:
    case = CASES[name]
    _check(_try(case.form, json.dumps(document).encode(), content_type=case.content_type))


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
def test_a_changed_answer_ends_in_a_parsing_or_a_sentence(name: str, data: st.DataObject) -> None:
    case = CASES[name]
    start = data.draw(st.integers(0, len(case.body)))
    stop = data.draw(st.integers(start, min(len(case.body), start + 20)))
    middle = data.draw(st.binary(max_size=8) | st.sampled_from([b"[", b"]", b",", b'"', b"-1"]))
    body = case.body[:start] + middle + case.body[stop:]
    with suppress(AnswerUnreadable):
        _check(read_answer(case.form, TABLE, case.content_type, body, SIZE, case.files))


@pytest.mark.parametrize("name", CASES)
def test_no_answer_that_is_cut_off_is_read(name: str) -> None:
    case = CASES[name]
    # An event, or the end of a PNG, may be missing its last bytes.
    for length in range(0, len(case.body) - 14, 7):
        with pytest.raises(AnswerUnreadable):
            read_answer(case.form, TABLE, case.content_type, case.body[:length], SIZE, case.files)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("size", [(7, 9), (9, 8), (1, 63), (18, 14)])
def test_no_answer_for_a_picture_of_another_size_is_read(name: str, size: tuple[int, int]) -> None:
    case = CASES[name]
    with pytest.raises(AnswerUnreadable):
        read_answer(case.form, TABLE, case.content_type, case.body, size, case.files)


def test_a_tensor_may_have_a_size_of_its_own_if_the_preset_says_so() -> None:
    for name, content in (("v2", "labels"), ("v2 logits", "logits")):
        case = CASES[name]
        form = Tensors(output="mask", content=content, is_scaled=True)
        parsing = read_answer(form, TABLE, "", case.body, (18, 14))
        assert np.array_equal(parsing.label_map[::2, ::2], LABEL_MAP)
        assert parsing.probabilities.shape[1:] in (SIZE, (18, 14))


def test_a_label_that_the_preset_lacks_is_named() -> None:
    item = {"label": "tentacle" * 30, "score": 1, "mask": base64(mask_png(1))}
    assert "'tentacle" in _sentence(ScoredMasks(), [item])
    assert "label 4" in _sentence(LabelPng(), png(LABEL_MAP + 1))
    labels: list[object] = [4, -1, True, None, 1.0, ["face"], {}]
    for label in labels:
        assert "the preset lacks" in _sentence(ScoredMasks(), [{**item, "label": label}])


@pytest.mark.parametrize("score", ["high", True, [], {}])
def test_a_score_is_a_number(score: object) -> None:
    item = {"label": 1, "score": score, "mask": base64(mask_png(1))}
    assert "no number" in _sentence(ScoredMasks(), [item])


def test_huge_numbers_are_numbers() -> None:
    body = b'[{"label": 1, "mask": "%s", "score": %s}]'
    for score in (b"9" * 4_000, b"-1e300"):
        assert isinstance(
            _try(ScoredMasks(), body % (base64(mask_png(1)).encode(), score)), Parsing
        )
    _sentence(ScoredMasks(), body % (base64(mask_png(1)).encode(), b"1e999"))


def test_the_surest_mask_is_on_top() -> None:
    whole = base64(png(np.full(SIZE, 255, np.uint8)))
    for scores, winner in (((0.5, 0.9), 2), ((0.9, 0.5), 1), ((0.5, 0.5), 2)):
        items = [{"label": i, "score": score, "mask": whole} for i, score in enumerate(scores, 1)]
        parsing = _try(ScoredMasks(), json.dumps(items).encode())
        assert isinstance(parsing, Parsing)
        assert (parsing.label_map == winner).all()


def test_a_colour_of_no_label_is_refused_unless_it_is_near_enough() -> None:
    picture = np.array(PALETTE, dtype=np.uint8)[LABEL_MAP]
    picture[picture == 250] = 247
    assert "palette" in _sentence(PalettePng(palette=PALETTE), png(picture))
    colours_apart = PALETTE[:2] + PALETTE[3:]
    picture[LABEL_MAP == 2] = 0
    form = PalettePng(palette=colours_apart, tolerance=3)
    parsing = _try(form, png(picture))
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
    _sentence(PalettePng(palette=PALETTE), body)
    _sentence(JsonPictures(pointer=""), {"": base64(body)}[""])


def test_a_second_header_of_a_png_changes_nothing() -> None:
    first = header_of(7, 9)
    second = header_of(30_000, 30_000)[8:]

    def sealed(chunk: bytes) -> bytes:
        return chunk + zlib.crc32(chunk[4:]).to_bytes(4, "big")

    body = first[:8] + sealed(first[8:]) + sealed(second) + png(LABEL_MAP)[33:]
    _sentence(LabelPng(), body)


def test_pictures_of_several_bands_hold_no_labels() -> None:
    assert "in colours" in _sentence(LabelPng(), colours())


@pytest.mark.parametrize(
    "text",
    ["", "data:image/png,abc", "data:image/png;base64", "ä", "====", "abc$", "a", 7, None, ["a"]],
)
def test_what_is_no_picture_in_base64_is_refused(text: object) -> None:
    _sentence(MaskList(), {"masks": [text], "labels": [1]})


@pytest.mark.parametrize(
    "document",
    [
        {"masks": [], "labels": [1]},
        {"masks": [base64(mask_png(1))], "labels": []},
        {"masks": [base64(mask_png(1))]},
        {"masks": {"0": base64(mask_png(1))}, "labels": [1]},
        [],
        None,
    ],
)
def test_lists_that_do_not_fit_each_other_are_refused(document: object) -> None:
    _sentence(MaskList(), document)
    _sentence(NestedLists(scores=None), document)


RUNS: list[Any] = [
    [63, 1],
    [62],
    [-1, 64],
    [2**70, 5],
    [2**63 - 1, 2**63 - 1, 65],
    [True] * 63,
    [0.5, 62.5],
    ["63"],
    "",
    "é",
    "\x00",
    "~~~~",
    "o",
    "ooooooooo0",
    "0" * 2_000_000,
    None,
    {},
]


@pytest.mark.parametrize("counts", RUNS, ids=lambda counts: repr(counts)[:20])
def test_runs_that_do_not_fill_the_picture_are_refused(counts: object) -> None:
    runs = {"size": list(SIZE), "counts": counts}
    _sentence(CocoRle(), [{"category_id": 1, "segmentation": runs}])


@pytest.mark.parametrize("size", [[9, 8], [9], "97", None, [9.5, 7], [1e9, 1e9]])
def test_runs_of_another_size_are_refused(size: object) -> None:
    runs = {"size": size, "counts": [63]}
    _sentence(CocoRle(), [{"category_id": 1, "segmentation": runs}])


MASK = LABEL_MAP.clip(0, 1).tolist()


@pytest.mark.parametrize(
    "mask",
    [
        "[[0]]",
        "[]",
        "[[]]",
        json.dumps(MASK[:-1]),
        json.dumps([*MASK, MASK[0]]),
        json.dumps([row[:-1] for row in MASK]),
        json.dumps([*MASK[:-1], MASK[0][:-1]]),
        json.dumps([MASK]),
        json.dumps([*MASK[:-1], ["1"] * 7]),
        json.dumps([*MASK[:-1], [None] * 7]),
        json.dumps(MASK)[:-1] + ",]",
        json.dumps(MASK).replace("], [", "] [", 1),
        json.dumps(MASK).replace("0, 0", "0 0", 1),
        json.dumps(MASK).replace("0, 0", "0,, 0", 1),
        json.dumps(MASK).replace("0", "00", 1),
        json.dumps(MASK).replace("0", "t rue", 1),
        json.dumps(MASK).replace("0", "true.0", 1),
        json.dumps(MASK).replace("0", "1.0.0", 1),
        json.dumps(MASK).replace("0", "1 .0", 1),
        json.dumps(MASK).replace("0", "NaN", 1),
        json.dumps(MASK).replace("0", "[0]", 1),
        '"mask"',
        "{}",
        "null",
    ],
)
def test_what_is_no_mask_of_numbers_is_refused(mask: str) -> None:
    body = f'{{"labels": [1], "masks": [{mask}]}}'.encode()
    _sentence(NestedLists(scores=None), body)
    chunks = iter([bytes([byte]) for byte in body])
    with pytest.raises(AnswerUnreadable):
        read_nested_lists(NestedLists(scores=None), Answer("", chunks, TABLE, SIZE))


@given(
    rows=st.lists(
        st.lists(st.sampled_from(["0", "1", "true", "false", "0.0", "1.0", " 1\n", "1e0", "0.7"]),
                 min_size=7, max_size=7), min_size=9, max_size=9),
    blank=st.sampled_from(["", " ", "\n\t "]),
)  # fmt: skip
def test_a_mask_is_what_json_says_it_is(rows: list[list[str]], blank: str) -> None:
    text = "[" + f",{blank}".join("[" + f"{blank},".join(row) + "]" for row in rows) + "]"
    parsing = _try(NestedLists(scores=None), f'{{"masks": [{text}], "labels": [1]}}'.encode())
    assert isinstance(parsing, Parsing)
    assert np.array_equal(parsing.label_map, np.array(json.loads(text), dtype=float) > 0.5)


@pytest.mark.parametrize(
    ("form", "document"),
    [
        (Tensors(), {"outputs": []}),
        (Tensors(), {"outputs": [{"name": "a", "shape": [9, 7], "datatype": "UINT8"}]}),
        (Tensors(), {"outputs": [{"name": "a", "shape": [9, 8], "data": [0] * 63}]}),
        (Tensors(), {"outputs": [{"name": "a", "shape": [-9, -7], "data": [0] * 63}]}),
        (Tensors(), {"outputs": [{"name": "a", "data": [0] * 63}]}),
        (Tensors(), {"outputs": [{"name": "a", "shape": [9, 7], "data": [0.5] * 63}]}),
        (Tensors(), {"outputs": [{"name": "a", "shape": [9, 7], "data": [-1] * 63}]}),
        (Tensors(), {"outputs": [{"name": "a", "shape": [9, 7], "data": [1e300] * 63}]}),
        (Tensors(), {"outputs": [{"name": "a", "shape": [9, 7], "data": ["0"] * 63}]}),
        (Tensors(output="b"), {"outputs": [{"name": "a", "shape": [9, 7], "data": [0] * 63}]}),
        (Tensors(version="v1"), {"predictions": []}),
        (Tensors(version="v1"), {"predictions": [[[0]], [[0]]]}),
        (Tensors(version="v1"), {"predictions": [[[[[[[0]]]]]]]}),
        (Tensors(version="v1"), {"predictions": [[[0, 1], [0]]]}),
        (Tensors(version="v1"), {"predictions": [{"mask": [[0]]}]}),
        (Tensors(version="v1", output="mask"), {"predictions": [[[0]]]}),
        (Tensors(version="v1", content="logits"), {"predictions": [[MASK]]}),
        (Tensors(version="v1", content="probabilities"), {"predictions": [[MASK] * 4]}),
        (Tensors(), {}),
    ],
)
def test_tensors_that_are_not_as_the_protocol_says_are_refused(
    form: Tensors, document: object
) -> None:
    _sentence(form, document)


@pytest.mark.parametrize(
    "parameters",
    [{"binary_data_size": 62}, {"binary_data_size": 1 << 60}, {"binary_data_size": -1}],
)
def test_binary_data_is_as_long_as_it_says(parameters: object) -> None:
    output = {"name": "a", "datatype": "UINT8", "shape": [9, 7], "parameters": parameters}
    _sentence(Tensors(), json.dumps({"outputs": [output]}).encode() + bytes(63))


def test_an_annotated_image_needs_its_files_and_one_call() -> None:
    case = CASES["call"]
    assert "never fetched" in _sentence(case.form, case.body, content_type=case.content_type)
    twice = replace(case, body=case.body * 2)
    assert "one call" in _sentence(case.form, twice.body, content_type=case.content_type)
    assert "nothing at /7" in _sentence(
        AnnotatedImage(output=7), case.body, content_type=case.content_type
    )


def _stream(head: bytes, piece: bytes, count: int, tail: bytes = b"") -> Iterator[bytes]:
    yield head
    yield from repeat(piece, count)
    yield tail


def _peak_megabytes(form: AnswerFormat, body: Iterator[bytes], size: tuple[int, int]) -> float:
    tracemalloc.start()
    try:
        assert isinstance(_try(form, body, size), str)
        return tracemalloc.get_traced_memory()[1] / MEGABYTE
    finally:
        tracemalloc.stop()


NESTED = NestedLists(scores=None)
BOMBS: dict[str, tuple[AnswerFormat, bytes, bytes]] = {
    "depth": (NESTED, b'{"x": ', b"[" * 65_536),
    "pairs": (NESTED, b'{"x": [', b"[],{}," * 10_000),
    "text": (NESTED, b'{"x": "', b"\\\\" * 30_000),
    "name": (NESTED, b'{"', b"x" * 60_000),
    "names": (NESTED, b'{"x": 1,', b" " * 60_000),
    "scalar": (NESTED, b'{"x": ', b"1" * 60_000),
    "labels": (NESTED, b'{"labels": [', b"1," * 30_000),
    "one row": (NESTED, b'{"masks": [[[', b"0," * 30_000),
    "one number": (NESTED, b'{"masks": [[[', b"0" * 60_000),
    "masks": (NESTED, b'{"masks": [', b"[[]]," * 12_000),
    "tensor": (Tensors(version="v1"), b'{"predictions": [[', b"1," * 30_000),
    "tensor rows": (Tensors(version="v1"), b'{"predictions": [[', b"[1]," * 15_000),
    "tensors": (Tensors(), b'{"outputs": [', b"{}," * 20_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_streams_without_an_end_are_left_in_bounded_memory(name: str) -> None:
    form, head, piece = BOMBS[name]
    # Tensors keep four bytes a number, up to as many as a picture has.
    count = 40 if name.startswith("tensor") else 600
    assert _peak_megabytes(form, _stream(head, piece, count), LARGE) < 24


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 2_000_000,
        b'{"a":' * 400_000,
        b"[" + b"[]," * 2_000_000,
        b"[" + b"0," * 20_000_000,
        b'"' + b"a" * 20_000_000,
    ],
)
def test_bombs_in_short_documents_are_left_in_bounded_memory(body: bytes) -> None:
    for form in (CocoRle(), ScoredMasks(), JsonPictures(pointer="/a")):
        assert _peak_megabytes(form, iter([body]), LARGE) < 3 * len(body) / MEGABYTE + 40


def test_more_masks_than_can_be_read_in_time_are_refused() -> None:
    item = {"label": 1, "score": 1, "mask": "x"}
    assert "more masks" in _sentence(ScoredMasks(), [item] * 513)
    assert "more masks" in _sentence(ScoredMasks(), [item] * 100, size=LARGE)

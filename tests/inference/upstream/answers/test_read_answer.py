"""Every kind of answer gives the same parsing, however it is cut into chunks."""

import json
from itertools import pairwise
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.model_features import model_features
from detectors.parsing import Parsing
from detectors.topology.persons import Scene
from detectors.topology.topology_features import topology_features
from inference.labels.label_table import LabelTable
from inference.upstream.answers.answer import Answer, Part
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import AnswerFormat, LabelPng, Tensors
from inference.upstream.answers.pictures.one_hot import resize_parsing
from inference.upstream.answers.read_answer import READERS, read_answer
from tests.inference.upstream.answers.answer_cases import (
    CASES,
    LABEL_MAP,
    NAMES,
    PERSON,
    SIZE,
    TABLE,
    AnswerCase,
    png,
)
from tests.nearness import is_near


def _read(case: AnswerCase, cuts: tuple[int, ...] = ()) -> Parsing:
    if not cuts:
        return read_answer(case.form, TABLE, case.content_type, case.body, SIZE, case.files)
    # Readers see these chunks as they are, and not joined to blocks.
    places = sorted({0, len(case.body), *(cut % (len(case.body) + 1) for cut in cuts)})
    chunks = (case.body[start:stop] for start, stop in pairwise(places))
    answer = Answer(case.content_type, chunks, TABLE, SIZE, case.files)
    return READERS[type(case.form)](case.form, answer)


def test_every_kind_has_a_reader_and_a_case() -> None:
    kinds = set(get_args(get_args(AnswerFormat)[0]))
    assert set(READERS) == kinds == {type(case.form) for case in CASES.values()}


@pytest.mark.parametrize("name", CASES)
def test_the_labels_come_back(name: str) -> None:
    parsing = _read(CASES[name])
    assert np.array_equal(parsing.label_map, LABEL_MAP)
    assert parsing.label_map.dtype == np.uint8
    assert parsing.labels == NAMES
    assert parsing.parts == ("background", "face", "tail", "Pants")
    assert (parsing.persons is not None) is CASES[name].has_persons
    if parsing.persons is not None:
        assert np.array_equal(parsing.persons, PERSON)


@pytest.mark.parametrize("name", CASES)
def test_probabilities_sum_to_one_and_agree_with_the_labels(name: str) -> None:
    parsing = _read(CASES[name])
    probabilities = parsing.probabilities
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (len(NAMES), *SIZE)
    assert probabilities.flags.c_contiguous
    assert is_near(probabilities.sum(axis=0), 1, within=1e-6)
    assert np.array_equal(parsing.winners, LABEL_MAP)
    is_one_hot = set(np.unique(probabilities)) <= {0.0, 1.0}
    assert is_one_hot is (getattr(CASES[name].form, "content", "labels") == "labels")


@pytest.mark.parametrize("name", CASES)
@given(cuts=st.lists(st.integers(0, 5_000), min_size=1, max_size=30))
def test_it_does_not_matter_how_an_answer_is_cut(name: str, cuts: list[int]) -> None:
    assert np.array_equal(_read(CASES[name], tuple(cuts)).label_map, LABEL_MAP)


@pytest.mark.parametrize("name", CASES)
def test_features_come_out(name: str) -> None:
    parsing = _read(CASES[name])
    assert model_features(parsing)["confidence_face"] > 0.6
    assert topology_features(Scene.of(parsing))["skin_share"] == pytest.approx(6 / 24)


def test_large_label_maps_are_parsed_at_a_bounded_size() -> None:
    table = LabelTable(names=tuple(f"label {n}" for n in range(20)))
    for height, width in ((4_000, 3_000), (10, 400_000), (400_000, 10)):
        label_map = np.zeros((height, width), dtype=np.uint8)
        label_map[:, width // 2 :] = 19
        parsing = read_answer(LabelPng(), table, "image/png", png(label_map), label_map.shape)
        assert parsing.label_map.shape == (height, width)
        assert parsing.probabilities.nbytes <= 20 * 4 * 60_000
        if width > 10:
            assert parsing.probabilities[19].mean() == pytest.approx(0.5, abs=0.01)


def test_no_labels_no_reading() -> None:
    with pytest.raises(AnswerUnreadable, match="names no labels"):
        read_answer(LabelPng(), LabelTable(), "image/png", png(LABEL_MAP), SIZE)


def test_a_page_is_no_answer() -> None:
    with pytest.raises(AnswerUnreadable, match="a page"):
        read_answer(LabelPng(), TABLE, "text/html; charset=utf-8", b"<html>", SIZE)


def test_a_parsing_is_brought_to_the_size_of_a_picture_that_was_decoded_smaller() -> None:
    parsing = _read(CASES["nested lists"])
    whole = resize_parsing(parsing, (18, 14))
    assert np.array_equal(whole.label_map[::2, ::2], LABEL_MAP)
    assert whole.persons is not None
    assert np.array_equal(whole.persons > 0, whole.label_map > 0)
    assert np.array_equal(resize_parsing(whole, SIZE).label_map, LABEL_MAP)
    assert resize_parsing(_read(CASES["v2"]), (3, 3)).persons is None


def _batch(values: Any) -> bytes:
    output = {
        "name": "mask",
        "datatype": "FP32",
        "shape": list(values.shape),
        "data": values.ravel().tolist(),
    }
    return json.dumps({"outputs": [output]}).encode()


@pytest.mark.parametrize("content", ["labels", "logits"])
def test_of_an_answer_to_several_pictures_each_has_its_own_part(content: Any) -> None:
    drawings = np.random.default_rng(5).integers(0, len(TABLE.names), (3, *SIZE))
    form, values = Tensors(content=content), drawings.astype(np.float32)
    if content == "logits":
        channels = np.eye(len(TABLE.names), dtype=np.float32)[drawings]
        values = 10 * channels.transpose(0, 3, 1, 2)
    for place, drawing in enumerate(drawings):
        parsing = read_answer(
            form, TABLE, "application/json", _batch(values), SIZE, part=Part(place, 3)
        )
        assert np.array_equal(parsing.label_map, drawing)


@pytest.mark.parametrize("form", [LabelPng(), Tensors(version="v1"), Tensors()])
def test_an_answer_that_does_not_tell_pictures_apart_is_not_read(form: AnswerFormat) -> None:
    body = _batch(np.zeros((2, *SIZE)))
    with pytest.raises(AnswerUnreadable):
        read_answer(form, TABLE, "application/json", body, SIZE, part=Part(0, 3))

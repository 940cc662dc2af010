"""Masks in words: lists that do not fit, runs that do not fill the picture, rows that are none."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.parsing import Parsing
from inference.upstream.answers.answer import Answer
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import CocoRle, MaskList, NestedLists
from inference.upstream.answers.readers.nested_lists import read_nested_lists
from tests.inference.upstream.answers.answer_cases import SIZE, TABLE, base64, mask_png
from tests.inference.upstream.answers.hostile.outcomes import (
    MASK,
    read_or_say_why,
    refusal_sentence,
)


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
    refusal_sentence(MaskList(), document)
    refusal_sentence(NestedLists(scores=None), document)


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
    refusal_sentence(CocoRle(), [{"category_id": 1, "segmentation": runs}])


@pytest.mark.parametrize("size", [[9, 8], [9], "97", None, [9.5, 7], [1e9, 1e9]])
def test_runs_of_another_size_are_refused(size: object) -> None:
    runs = {"size": size, "counts": [63]}
    refusal_sentence(CocoRle(), [{"category_id": 1, "segmentation": runs}])


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
    refusal_sentence(NestedLists(scores=None), body)
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
    parsing = read_or_say_why(
        NestedLists(scores=None), f'{{"masks": [{text}], "labels": [1]}}'.encode()
    )
    assert isinstance(parsing, Parsing)
    assert np.array_equal(parsing.label_map, np.array(json.loads(text), dtype=float) > 0.5)

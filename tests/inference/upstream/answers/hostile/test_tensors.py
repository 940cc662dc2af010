"""Tensors that are not as the protocol says."""

import json

import numpy as np
import pytest

from inference.upstream.answers.formats import Tensors
from inference.upstream.answers.read_answer import read_answer
from tests.inference.upstream.answers.answer_cases import CASES, LABEL_MAP, SIZE, TABLE
from tests.inference.upstream.answers.hostile.outcomes import MASK, refusal_sentence


def test_a_tensor_may_have_a_size_of_its_own_if_the_preset_says_so() -> None:
    for name, content in (("v2", "labels"), ("v2 logits", "logits")):
        case = CASES[name]
        form = Tensors(output="mask", content=content, is_scaled=True)
        parsing = read_answer(form, TABLE, "", case.body, (18, 14))
        assert np.array_equal(parsing.label_map[::2, ::2], LABEL_MAP)
        assert parsing.probabilities.shape[1:] in (SIZE, (18, 14))


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
    refusal_sentence(form, document)


@pytest.mark.parametrize(
    "parameters",
    [{"binary_data_size": 62}, {"binary_data_size": 1 << 60}, {"binary_data_size": -1}],
)
def test_binary_data_is_as_long_as_it_says(parameters: object) -> None:
    output = {"name": "a", "datatype": "UINT8", "shape": [9, 7], "parameters": parameters}
    refusal_sentence(Tensors(), json.dumps({"outputs": [output]}).encode() + bytes(63))

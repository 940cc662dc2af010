"""What a network answers, by each kind of output: shares that sum to 1, and labels that fit."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydantic import ValidationError

from inference.segmenters.described.description import Description
from inference.segmenters.described.heads import read_heads
from inference.segmenters.described.reading import read_label_map, read_probabilities
from inference.supply.errors import ModelError
from tests.nearness import is_near

LABELS = {"names": ["bg", "face", "arm", "leg"]}
BELOW = {"rule": "below"}
Floats = npt.NDArray[np.float32]


def _description(*outputs: dict[str, str], **more: object) -> Description:
    document: dict[str, object] = {"input": {"size": [64, 64]}, "labels": LABELS}
    return Description.model_validate({**document, "outputs": outputs, **more})


def _logits(activation: str = "softmax", **more: str) -> dict[str, str]:
    return {"name": "logits", "values": "logits", "activation": activation, **more}


SOFTMAX = _description(_logits())
SIGMOID = _description(_logits("sigmoid"), background=BELOW)
PERSON = {**_logits("sigmoid"), "name": "person", "holds": "person"}
TWO_HEADS = _description(PERSON, _logits(), background=BELOW)
ALPHA = _description(
    {"name": "matte", "values": "alpha"}, background=BELOW, labels={"names": ["bg", "other"]}
)
INDICES = _description({"name": "labels", "values": "labels", "layout": "nhw"})


def _random(channels: int, seed: int = 0) -> Floats:
    values = np.random.default_rng(seed).normal(0, 3, (1, channels, 6, 5))
    return values.astype(np.float32)


def _read(description: Description, *values: Any) -> tuple[Floats, npt.NDArray[np.uint8]]:
    heads = read_heads(values, description)
    return read_probabilities(heads, description), read_label_map(heads, description, 6, 5)


def _check(probabilities: Floats, label_map: npt.NDArray[np.uint8]) -> None:
    """Shares sum to 1, and the likeliest label is the one that is drawn."""
    assert probabilities.dtype == np.float32
    assert is_near(probabilities.sum(axis=0), 1, within=1e-5)
    assert np.array_equal(probabilities.argmax(axis=0), label_map)


def test_logits_with_a_background_become_shares() -> None:
    logits = _random(4)
    probabilities, label_map = _read(SOFTMAX, logits)
    _check(probabilities, label_map)
    assert np.array_equal(label_map, logits[0].argmax(axis=0))


def test_channels_may_come_last() -> None:
    logits = _random(4)
    last = _description(_logits(layout="nhwc"))
    assert np.array_equal(_read(last, logits.transpose(0, 2, 3, 1))[0], _read(SOFTMAX, logits)[0])


def test_where_no_label_reaches_the_threshold_is_nobody() -> None:
    logits = _random(3)
    probabilities, label_map = _read(SIGMOID, logits)
    _check(probabilities, label_map)
    assert np.array_equal(label_map > 0, logits[0].max(axis=0) >= 0)


@pytest.mark.parametrize("seed", range(5))
def test_a_person_by_itself_decides_what_is_background(seed: int) -> None:
    person, parts = _random(1, seed), _random(3, seed + 9) / 9
    probabilities, label_map = _read(TWO_HEADS, person, parts)
    _check(probabilities, label_map)
    assert np.array_equal(label_map > 0, person[0, 0] >= 0)
    where = label_map > 0
    assert np.array_equal(label_map[where], 1 + parts[0].argmax(axis=0)[where])


def test_another_threshold_is_kept_to() -> None:
    person, parts = _random(1), _random(3)
    description = _description(PERSON, _logits(), background={**BELOW, "threshold": 0.9})
    probabilities, label_map = _read(description, person, parts)
    _check(probabilities, label_map)
    assert np.array_equal(label_map > 0, person[0, 0] >= np.log(9))


def test_heads_of_two_sizes_are_brought_together() -> None:
    person = np.full((1, 1, 3, 3), 5, dtype=np.float32)
    probabilities, label_map = _read(TWO_HEADS, person, _random(3))
    assert probabilities.shape == (4, 6, 5)
    assert (label_map > 0).all()


def test_alpha_is_one_label_and_its_background() -> None:
    alpha = np.linspace(0, 1, 30, dtype=np.float32).reshape(1, 1, 6, 5)
    probabilities, label_map = _read(ALPHA, alpha)
    _check(probabilities, label_map)
    assert probabilities[1] == pytest.approx(alpha[0, 0], abs=1e-6)


def test_indices_are_sure_of_everything() -> None:
    labels = np.random.default_rng(0).integers(0, 4, (1, 6, 5))
    probabilities, label_map = _read(INDICES, labels)
    _check(probabilities, label_map)
    assert np.array_equal(label_map, labels[0])
    assert set(np.unique(probabilities)) == {0, 1}


def test_outputs_of_a_large_size_are_made_smaller() -> None:
    logits = np.random.default_rng(0).normal(0, 1, (1, 4, 600, 500)).astype(np.float32)
    heads = read_heads([logits], SOFTMAX)
    probabilities = read_probabilities(heads, SOFTMAX)
    assert probabilities[0].size <= 192 * 288 * 1.01
    assert is_near(probabilities.sum(axis=0), 1, within=1e-5)
    assert read_label_map(heads, SOFTMAX, 1200, 1000).shape == (1200, 1000)


def test_no_share_at_all_is_shared_evenly() -> None:
    description = _description({"name": "p", "values": "probabilities"})
    probabilities, _ = _read(description, np.zeros((1, 4, 6, 5), np.float32))
    assert probabilities == pytest.approx(0.25)


@pytest.mark.parametrize("shape", [(1, 3, 6, 5), (4, 6, 5), (2, 4, 6, 5), (1, 4, 0, 5), ()])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=r"The output logits has the shape .* 4 channels\."):
        read_heads([np.zeros(shape, np.float32)], SOFTMAX)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused(value: float) -> None:
    logits = _random(4)
    logits[0, 2, 3, 3] = value
    with pytest.raises(ModelError, match="logits has values that are no finite numbers"):
        read_heads([logits], SOFTMAX)


@pytest.mark.parametrize("kind", ["probabilities", "alpha"])
def test_logits_are_not_taken_for_shares(kind: str) -> None:
    description = ALPHA if kind == "alpha" else _description({"name": "p", "values": kind})
    with pytest.raises(ModelError, match="lie between 0 and 1: are they logits"):
        read_heads([_random(1 if kind == "alpha" else 4)], description)


@pytest.mark.parametrize("value", [4, -1, 0.5])
def test_values_that_are_no_labels_are_refused(value: float) -> None:
    labels = np.zeros((1, 6, 5), np.float32)
    labels[0, 0, 0] = value
    with pytest.raises(ModelError, match="no labels: those are whole numbers from 0 to 3"):
        read_heads([labels], INDICES)


@pytest.mark.parametrize(
    ("outputs", "more", "why"),
    [
        ((PERSON,), {"background": BELOW}, "outputs are one for labels"),
        ((_logits(), _logits()), {}, "outputs are one for labels"),
        ((_logits(), {**PERSON, "name": "logits"}), {"background": BELOW}, "have one name"),
        ((_logits(), PERSON), {}, "needs background.rule"),
        (({"name": "x", "values": "labels"},), {"background": BELOW}, "0 is the background"),
        (({"name": "x", "values": "alpha"},), {"background": BELOW}, "alpha is for two labels"),
        ((_logits(),), {"labels": {}}, "labels are missing"),
    ],
)
def test_what_does_not_go_together_is_refused(
    outputs: tuple[dict[str, str], ...], more: dict[str, object], why: str
) -> None:
    with pytest.raises(ValidationError, match=why):
        _description(*outputs, **more)

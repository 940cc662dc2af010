"""A network in ONNX at work: what it sees, and answers that are not as described."""

from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from structlog.testing import capture_logs

from inference.segmenters.onnx.segmenter import load_onnx
from inference.supply.errors import ModelError
from inference.supply.verified import open_model
from tests.inference.segmenters.foreign_models import PLAIN, network, write_model


def _warnings(folder: Path) -> list[str]:
    with capture_logs() as lines:
        load_onnx(open_model(folder), 1)
    return [line["event"] for line in lines if line["log_level"] == "warning"]


def test_labels_keep_their_names_and_their_groups(tmp_path: Path) -> None:
    segmenter = load_onnx(open_model(write_model(tmp_path, network())), 1)
    parsing = segmenter.parse(np.zeros((40, 30, 3), np.uint8))
    assert segmenter.labels == ("background", "face", "visage", "upper_clothes")
    assert parsing.parts == ("background", "Face", "face", "UpperClothes")
    assert segmenter.name == "onnx"


def test_a_model_that_answers_background_alone_is_warned_of(tmp_path: Path) -> None:
    said = _warnings(write_model(tmp_path / "blind", network(bias=1e4)))
    assert any("answers background alone on drawn people" in event for event in said)
    said = _warnings(write_model(tmp_path / "seeing", network()))
    assert not any("background alone" in event for event in said)


def test_answers_that_are_no_numbers_stop_the_start(tmp_path: Path) -> None:
    model = network()
    model.graph.node.append(helper.make_node("Sqrt", ["logits"], ["roots"]))
    roots = helper.make_tensor_value_info("roots", 1, [1, 4, "h", "w"])
    model.graph.output.append(roots)
    folder = write_model(tmp_path, model, PLAIN.replace('"logits"\nvalues', '"roots"\nvalues'))
    with pytest.raises(ModelError, match="roots has values that are no finite numbers"):
        load_onnx(open_model(folder), 1)


def test_answers_of_another_shape_stop_the_start(tmp_path: Path) -> None:
    model = network()
    model.graph.output[0].type.tensor_type.ClearField("shape")
    folder = write_model(tmp_path, model, PLAIN.replace(', "UpperClothes"', ""))
    with pytest.raises(ModelError, match=r"has the shape \(1, 4, 24, 16\).* 3 channels"):
        load_onnx(open_model(folder), 1)


def test_each_picture_is_looked_at_in_its_proportions(tmp_path: Path) -> None:
    segmenter = load_onnx(open_model(write_model(tmp_path, network())), 1)
    (wide,) = segmenter.probabilities([np.zeros((100, 200, 3), np.uint8)])
    (small,) = segmenter.probabilities([np.zeros((100, 200, 3), np.uint8)], 0.5)
    assert (wide.shape, small.shape) == ((4, 12, 24), (4, 6, 12))

"""The weights file: what is written serves, and everything else is refused in a sentence."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from inference.figures import draw_figure
from inference.segmenters.reference import weights
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.training.export import export_network, write_network
from inference.segmenters.reference.training.network import ReferenceNetwork
from inference.supply.errors import ModelError

SETTING = "MASKWATCH_MODEL"
Change = Callable[[onnx.ModelProto], object]


def _network(seed: int = 0) -> ReferenceNetwork:
    torch.manual_seed(seed)
    return ReferenceNetwork(len(LABELS))


@pytest.fixture(scope="module")
def network() -> ReferenceNetwork:
    return _network()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "models" / "weights.onnx"


def _refused(file: Path) -> str:
    with pytest.raises(ModelError) as caught:
        ReferenceSegmenter.load(file)
    sentence = str(caught.value)
    assert str(file) in sentence
    assert SETTING in sentence
    assert not caught.value.retryable
    return sentence


def _changed(network: ReferenceNetwork, file: Path, change: Change) -> str:
    """What is said of an exported network after a change."""
    model = export_network(network, {})
    change(model)
    file.parent.mkdir()
    file.write_bytes(model.SerializeToString())
    return _refused(file)


def test_the_same_weights_make_the_same_segmenter(file: Path, network: ReferenceNetwork) -> None:
    write_network(file, network, {})
    first, second = ReferenceSegmenter.load(file), ReferenceSegmenter.load(file)
    picture = draw_figure(2, (48, 64)).image
    assert first.digest == second.digest == sha256(file.read_bytes()).hexdigest()
    assert np.array_equal(first.parse(picture).probabilities, second.parse(picture).probabilities)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_missing_file_is_named(file: Path) -> None:
    assert "No such file" in _refused(file)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "cannot be read" in _refused(tmp_path)


@pytest.mark.parametrize("kept", [0, 4, 100, 1_000_000, -1])
def test_a_truncated_file_is_damaged(file: Path, network: ReferenceNetwork, kept: int) -> None:
    write_network(file, network, {})
    file.write_bytes(file.read_bytes()[:kept])
    assert "damaged" in _refused(file)


def test_a_file_of_another_kind_is_told_apart(file: Path) -> None:
    file.parent.mkdir()
    torch.save({"head": torch.zeros(3)}, file)
    assert "The model file" in _refused(file)


def test_a_file_that_is_too_large_is_not_read(
    file: Path, network: ReferenceNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_network(file, network, {})
    monkeypatch.setattr(weights, "MAX_BYTES", 1 << 20)
    assert "is larger than 1 MiB" in _refused(file)


@pytest.mark.parametrize(
    "metadata", [{}, {"format": "pt"}, {"format": weights.FORMAT, "labels": "background,moon"}]
)
def test_another_segmenter_is_told_apart(
    network: ReferenceNetwork, file: Path, metadata: dict[str, str]
) -> None:
    def change(model: onnx.ModelProto) -> None:
        helper.set_model_props(model, metadata)

    assert "not made for the reference segmenter" in _changed(network, file, change)


def _second_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))


def _second_output(model: onnx.ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))


def _renamed_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].name = "image"


def _grey_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1


def _more_labels(model: onnx.ModelProto) -> None:
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 16


@pytest.mark.parametrize(
    "change", [_second_input, _second_output, _renamed_input, _grey_input, _more_labels]
)
def test_other_inputs_and_outputs_are_refused(
    network: ReferenceNetwork, file: Path, change: Change
) -> None:
    assert "other inputs or outputs" in _changed(network, file, change)


def _external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    tensor.ClearField("raw_data")


def _custom_operator(model: onnx.ModelProto) -> None:
    model.graph.node[-1].domain = "com.example"


def test_external_data_and_custom_operators_are_refused(
    network: ReferenceNetwork, file: Path, tmp_path: Path
) -> None:
    assert "keeps weights in other files" in _changed(network, file, _external)
    other = tmp_path / "other" / file.name
    assert "uses the operator Conv of com.example" in _changed(network, other, _custom_operator)


def _too_few_labels(model: onnx.ModelProto) -> None:
    """The file says 15 labels, the last layer has one weight less."""
    bias = next(each for each in model.graph.initializer if each.name == "head.bias")
    bias.dims[0], bias.raw_data = 14, bias.raw_data[:-2]


def _missing_node(model: onnx.ModelProto) -> None:
    del model.graph.node[-1]


@pytest.mark.parametrize("change", [_too_few_labels, _missing_node])
def test_a_network_that_does_not_run_is_refused(
    network: ReferenceNetwork, file: Path, change: Change
) -> None:
    assert "does not run as a reference segmenter" in _changed(network, file, change)


def test_the_shipped_file_is_small() -> None:
    assert weights.DEFAULT_WEIGHTS.stat().st_size < 8_000_000

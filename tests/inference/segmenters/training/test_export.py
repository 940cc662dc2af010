"""A network is written as ONNX and read back as it was."""

import sys
from pathlib import Path

import onnx
import pytest
import torch

from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.training.export import (
    export_network,
    main,
    read_network,
    write_network,
)
from inference.segmenters.reference.training.network import ReferenceNetwork, normalise
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS, INPUT, SHIPPED_SHA256
from inference.supply.errors import ModelError
from inference.supply.onnx_graph import OPERATORS


@pytest.fixture
def network() -> ReferenceNetwork:
    """Random weights, with batch norms that have seen something."""
    torch.manual_seed(5)
    network = ReferenceNetwork(len(LABELS))
    with torch.no_grad():
        for _ in range(3):
            network(normalise(torch.rand(2, 3, 48, 64)))
    return network.eval()


def test_what_is_written_is_read_in_single_precision(
    network: ReferenceNetwork, tmp_path: Path
) -> None:
    file = tmp_path / "models" / "weights.onnx"
    write_network(file, network, {"epoch": 3})
    read = read_network(file).state_dict()
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            assert torch.equal(read[name], tensor.half().float()), name
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_the_same_network_gives_the_same_bytes(network: ReferenceNetwork, tmp_path: Path) -> None:
    files = [tmp_path / "first.onnx", tmp_path / "again.onnx"]
    for file in files:
        write_network(file, network, {"epoch": 3})
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_shipped_file_is_what_the_command_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reading and writing lose nothing: training may go on from the file that serves."""
    file = tmp_path / "weights.onnx"
    monkeypatch.setattr(sys, "argv", ["export", "--out", str(file)])
    assert main() == 0
    assert SHIPPED_SHA256 in capsys.readouterr().out
    assert file.read_bytes() == DEFAULT_WEIGHTS.read_bytes()


def test_a_file_that_cannot_be_read_ends_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "weights.onnx"
    monkeypatch.setattr(sys, "argv", ["export", "--weights", "gone.onnx", "--out", str(out)])
    assert main() == 1
    assert "gone.onnx" in capsys.readouterr().err
    assert not out.exists()


def test_a_graph_is_valid_and_uses_what_is_allowed(network: ReferenceNetwork) -> None:
    model = export_network(network, {})
    onnx.checker.check_model(model, full_check=True)
    assert {node.op_type for node in model.graph.node} <= OPERATORS
    assert [port.name for port in model.graph.input] == [INPUT]


def test_random_weights_answer_as_in_torch(network: ReferenceNetwork, tmp_path: Path) -> None:
    file = tmp_path / "weights.onnx"
    write_network(file, network, {})
    served, twin = ReferenceSegmenter.load(file), TorchSegmenter.load(file)
    noise = (torch.rand(80, 120, 3) * 255).to(torch.uint8).numpy()
    found, expected = served.parse(noise), twin.parse(noise)
    assert abs(found.probabilities - expected.probabilities).max() < 1e-4
    assert served.digest == twin.digest


@pytest.mark.parametrize("change", ["missing", "surplus", "shape"])
def test_parameters_of_another_version_are_told_apart(
    network: ReferenceNetwork, tmp_path: Path, change: str
) -> None:
    model, file = export_network(network, {}), tmp_path / "weights.onnx"
    bias = next(each for each in model.graph.initializer if each.name == "head.bias")
    if change == "missing":
        model.graph.initializer.remove(bias)
    elif change == "surplus":
        bias.name = "moon.bias"
    else:
        bias.dims[0], bias.raw_data = 14, bias.raw_data[:-2]
    file.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="another version of the reference network"):
        read_network(file)

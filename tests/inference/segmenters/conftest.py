"""M2FP with random weights in each precision, whatever processor the tests run on."""

from pathlib import Path

import pytest
import torch

from inference.segmenters.choice import Precision
from inference.segmenters.m2fp.segmenter import M2FPSegmenter
from inference.supply.verified import open_model

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

"""M2FP with random weights."""

from pathlib import Path

import pytest
import torch

from inference.segmenters.m2fp.segmenter import M2FPSegmenter
from inference.supply.verified import open_model

SMALL_SIDE = 96


@pytest.fixture(scope="session")
def m2fp(m2fp_folder: Path) -> M2FPSegmenter:
    """For several persons; it sees pictures small, so that tests are quick."""
    return _loaded(m2fp_folder)


@pytest.fixture(scope="session")
def m2fp_single(m2fp_single_folder: Path) -> M2FPSegmenter:
    return _loaded(m2fp_single_folder)


def _loaded(folder: Path) -> M2FPSegmenter:
    return M2FPSegmenter.load(open_model(folder), torch.device("cpu"), short_side=SMALL_SIDE)

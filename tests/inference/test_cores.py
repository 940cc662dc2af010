"""How many cores a parse gets."""

from collections.abc import Iterator

import cv2
import pytest
import torch

from inference.cores import share_cores
from inference.settings import default_concurrency, usable_cores


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Leaves the process as it was."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    yield
    torch.set_num_threads(before[0])
    cv2.setNumThreads(before[1])


def test_parses_at_the_same_time_share_the_cores() -> None:
    torch.set_num_threads(7)
    share_cores(1, {})
    assert (torch.get_num_threads(), cv2.getNumThreads()) == (usable_cores(), usable_cores())
    share_cores(usable_cores() + 1, {})
    assert (torch.get_num_threads(), cv2.getNumThreads()) == (1, 1)


def test_the_operators_word_stands() -> None:
    torch.set_num_threads(7)
    share_cores(1, {"OMP_NUM_THREADS": "7"})
    assert torch.get_num_threads() == 7


def test_by_default_there_is_a_core_for_each_parse() -> None:
    assert 1 <= default_concurrency() <= min(4, usable_cores())

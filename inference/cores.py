"""The processor cores, and who gets how many of them."""

import os
from collections.abc import Mapping

import cv2
import torch

from inference.settings import usable_cores


def share_cores(parses: int, environment: Mapping[str, str] = os.environ) -> None:
    """Give each of several parses at a time its share of the cores, in the whole process.

    Without it each one takes all of them, and they slow each other down by more than they gain.
    ``OMP_NUM_THREADS`` is the operator's word and stays as it is.
    """
    if "OMP_NUM_THREADS" in environment:
        return
    threads = max(1, usable_cores() // parses)
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)

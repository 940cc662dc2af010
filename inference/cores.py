"""The processor cores, and who gets how many of them."""

import os
from collections.abc import Mapping

import cv2

from inference.settings import usable_cores

_OPERATORS_WORD = "OMP_NUM_THREADS"


def share_cores(parses: int, environment: Mapping[str, str] = os.environ) -> None:
    """Give OpenCV, in each of several parses at a time, its share of the cores.

    Without it each one takes all of them, and they slow each other down by more than they gain.
    ``OMP_NUM_THREADS`` is the operator's word and holds instead.
    """
    cv2.setNumThreads(core_share(parses, environment))


def core_share(parses: int, environment: Mapping[str, str] = os.environ) -> int:
    """Threads for one of several parses at a time."""
    word = environment.get(_OPERATORS_WORD, "")
    return int(word) if word.isdecimal() and int(word) else max(1, usable_cores() // parses)


def shared_threads(parses: int, environment: Mapping[str, str] = os.environ) -> int:
    """Threads for one parse where all parses share the threads of one session.

    Each parse brings its own thread; what they leave of the cores is shared.
    """
    if _OPERATORS_WORD in environment:
        return core_share(parses, environment)
    return max(1, usable_cores() - parses + 1)

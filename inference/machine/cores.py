"""The processor cores, and who gets how many of them."""

import os
from collections.abc import Mapping

import cv2
import structlog
from threadpoolctl import threadpool_limits

from inference.admission.admission_settings import usable_cores

_log = structlog.get_logger(__name__)


def share_cores(parses: int, environment: Mapping[str, str] = os.environ) -> None:
    """Give OpenCV, in each of several parses at a time, its share of the cores.

    Without it each one takes all of them, and they slow each other down by more than they gain.
    NumPy's products get one thread: those of an ensemble are many and small, and OpenBLAS keeps
    further threads busy with waiting for the next one (docs/cost.md).
    """
    cv2.setNumThreads(core_share(parses, environment))
    threadpool_limits(_operators_word(environment) or 1, user_api="blas")


def core_share(parses: int, environment: Mapping[str, str] = os.environ) -> int:
    """Threads for one of several parses at a time."""
    return _operators_word(environment) or max(1, usable_cores() // parses)


def shared_threads(parses: int, environment: Mapping[str, str] = os.environ) -> int:
    """Threads for one parse where all parses share the threads of one session.

    Each parse brings its own thread; the session has as many more as they leave cores.
    """
    return _operators_word(environment) or max(1, usable_cores() - parses + 1)


def _operators_word(environment: Mapping[str, str]) -> int:
    """The number in ``OMP_NUM_THREADS``, which holds instead; 0 if there is none."""
    word = environment.get("OMP_NUM_THREADS", "")
    if word and not word.isdecimal():
        _log.warning("OMP_NUM_THREADS is not one number: cores are shared without it", value=word)
        return 0
    return int(word or 0)

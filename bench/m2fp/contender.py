"""One side of the comparison, in a process of its own so that its memory is its own."""

import multiprocessing
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

from detectors.parsing import Image, LabelMap

Work = Callable[[Image], LabelMap]
Build = Callable[[str], dict[str, Work]]

_UNIT = 1e6 if sys.platform == "darwin" else 1e3


@dataclass(frozen=True, eq=False)
class Timing:
    """What one piece of work found, and its wall time."""

    label_map: LabelMap
    seconds: float


class Contender:
    """A process that builds its model once and then works on request."""

    def __init__(self, build: Build, folder: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(build, folder, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def work(self, name: str, image: Image) -> Timing:
        """Do one of the things that were built."""
        self._connection.send((name, image))
        timing: Timing = self._connection.recv()
        return timing

    def peak_mb(self) -> float:
        """Most memory that the process has had so far, in megabytes; ends it."""
        self._connection.send(None)
        peak: float = self._connection.recv()
        self._process.join()
        return peak


def _serve(build: Build, folder: str, connection: "Connection[Any, Any]") -> None:
    works = build(folder)
    while (order := connection.recv()) is not None:
        name, image = order
        start = perf_counter()
        label_map = works[name](image)
        connection.send(Timing(label_map, perf_counter() - start))
    connection.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNIT)

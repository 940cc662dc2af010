"""Hostile files and mutations through the gate: nothing may fail, leak, grow or take long."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np

from bench.gate.cost import megapixel_jpeg
from bench.gate.mutations import mutations_of_a_process, seeds_of
from bench.gate.processes import is_alive, resident_mb, workers_of
from bench.report import Figures
from detectors.errors import MaskwatchError
from inference.gate.refusals import DECODER_BUSY, DECODER_UNAVAILABLE
from inference.gate.screen import Gate
from inference.metrics import Metrics
from inference.refusals import Refusal
from inference.settings import ServiceSettings
from inference.wiring import build_gate

_INTERNAL = {DECODER_BUSY, DECODER_UNAVAILABLE}
_FIRST_SEED = 20_261_123


class DataMissing(MaskwatchError):
    """The hostile files are not there."""


class Ordeal:
    """Puts bytes through a gate and notes what becomes of them."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.outcomes: Counter[str] = Counter()
        self.errors = 0
        self.milliseconds: list[float] = []

    def suffer(self, data: bytes) -> None:
        """One file."""
        start = perf_counter()
        try:
            outcome = self._gate.screen(data)
        except Exception as error:  # noqa: BLE001 - this is what is counted
            self._note(type(error).__name__, is_failure=True)
        else:
            is_refusal = isinstance(outcome, Refusal)
            code = outcome.code if isinstance(outcome, Refusal) else "accepted"
            self._note(code, is_failure=is_refusal and outcome in _INTERNAL)
        self.milliseconds.append((perf_counter() - start) * 1000)

    def _note(self, outcome: str, *, is_failure: bool) -> None:
        self.outcomes[outcome] += 1
        self.errors += is_failure


def measure_hostile(folder: Path, mutations: int) -> Figures:
    """Every file of the folder, then mutations of valid files.

    Raises:
        DataMissing: the folder holds no files.
    """
    metrics = Metrics()
    gate = build_gate(ServiceSettings(), metrics)
    files, mutants = Ordeal(gate), Ordeal(gate)
    Ordeal(gate).suffer(megapixel_jpeg())
    before = resident_mb()
    for data in hostile_files(folder):
        files.suffer(data)
    for data in mutations_of_a_process(mutations, _FIRST_SEED):
        mutants.suffer(data)
    growth = resident_mb() - before
    workers, seeds = workers_of(os.getpid()), seeds_of(mutations, _FIRST_SEED)
    gate.close()
    return {
        "hostile_files": len(files.milliseconds),
        "mutations": len(mutants.milliseconds),
        "mutation_seed_first": seeds[0],
        "mutation_seed_last": seeds[-1],
        "hostile_internal_errors": files.errors + mutants.errors,
        "hostile_worker_leaks": sum(map(is_alive, workers)),
        "p50_ms_hostile": float(np.median(files.milliseconds)),
        "p99_ms_hostile": float(np.percentile(files.milliseconds, 99)),
        "max_ms_hostile": max(files.milliseconds),
        "max_ms_mutations": max(mutants.milliseconds),
        "parent_growth_mb": growth,
        "outcomes_files": dict(files.outcomes),
        "outcomes_mutations": dict(mutants.outcomes),
        "worker_ends": _ends(metrics),
    }


def hostile_files(folder: Path) -> Iterator[bytes]:
    """The content of every file below a folder, in name order.

    Raises:
        DataMissing: there is none.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not paths:
        raise DataMissing(f"There are no hostile files in {folder}: name their folder with --data.")
    for path in paths:
        yield path.read_bytes()


def _ends(metrics: Metrics) -> dict[str, float]:
    return {
        sample.labels["why"]: sample.value
        for metric in metrics.decoder_ends.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }

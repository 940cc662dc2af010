"""All figures of the gate in one run, part by part: what was measured is never lost."""

from collections.abc import Callable, Collection
from pathlib import Path
from time import perf_counter

from bench.gate.cost import measure_cost
from bench.gate.flood import measure_flood
from bench.gate.hostile import measure_hostile
from bench.gate.kills import measure_kills
from bench.gate.one_client import measure_one_client
from bench.gate.over_http import measure_over_http
from bench.gate.replies import measure_replies
from bench.gate.small_files import measure_small_files
from bench.gate.stalls import measure_stalls
from bench.report import Figures, publish, write_figures
from detectors.errors import MaskwatchError
from inference.gate.screen import Gate
from inference.machine.allocator import give_large_blocks_back, keep_few_arenas
from inference.metrics import Metrics
from inference.settings import ServiceSettings
from inference.wiring import build_gate

_STALL_SECONDS = 6.0
Parts = dict[str, Callable[[], Figures]]


class UnknownPart(MaskwatchError):
    """A part that the measurement does not have."""


def measure_gate(
    folder: Path, out: Path, mutations: int, flood_seconds: float, only: Collection[str] = ()
) -> None:
    """Measure part by part, write the figures after each, and publish them all.

    Args:
        only: names of parts; none means all.

    Raises:
        UnknownPart: there is none of that name.
        DataMissing: the folder holds no files.
        ServiceFailed: the service does not start.
    """
    # As in the service's process: what the C library keeps is a part of what is measured.
    keep_few_arenas()
    give_large_blocks_back()
    parts = choose_parts(_parts_of(folder, mutations, flood_seconds), only)
    publish("Gate", measure_parts(parts, out), out)


def choose_parts(parts: Parts, names: Collection[str]) -> Parts:
    """The parts of these names, in their own order; all without names.

    Raises:
        UnknownPart: there is none of that name.
    """
    unknown = sorted(set(names) - set(parts))
    if unknown:
        raise UnknownPart(f"There is no part {unknown[0]}: {', '.join(parts)}.")
    return {name: measure for name, measure in parts.items() if not names or name in names}


def measure_parts(parts: Parts, out: Path) -> Figures:
    """The figures of all parts; those of each are written when it ends."""
    figures: Figures = {}
    for name, measure in parts.items():
        start = perf_counter()
        figures = {**figures, **measure()}
        write_figures(figures, out)
        print(f"{name}: measured in {perf_counter() - start:.0f} s", flush=True)
    return figures


def _parts_of(folder: Path, mutations: int, flood_seconds: float) -> Parts:
    return {
        "cost": lambda: _on_a_gate(measure_cost),
        "small-files": lambda: _on_a_gate(measure_small_files),
        "hostile-files": lambda: measure_hostile(folder, mutations),
        "replies": measure_replies,
        "over-http": lambda: measure_over_http(folder),
        "kills": measure_kills,
        "flood": lambda: measure_flood(flood_seconds),
        "one-client": measure_one_client,
        "stalls": lambda: measure_stalls(_STALL_SECONDS),
    }


def _on_a_gate(measure: Callable[[Gate], Figures]) -> Figures:
    gate = build_gate(ServiceSettings(), Metrics())
    try:
        return measure(gate)
    finally:
        gate.close()

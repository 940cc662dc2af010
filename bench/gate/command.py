"""All figures of the gate in one run."""

from pathlib import Path

from bench.gate.cost import measure_cost
from bench.gate.flood import measure_flood
from bench.gate.hostile import measure_hostile
from bench.gate.kills import measure_kills
from bench.gate.one_client import measure_one_client
from bench.gate.over_http import measure_over_http
from bench.gate.small_files import measure_small_files
from bench.gate.stalls import measure_stalls
from bench.report import Figures, publish
from inference.metrics import Metrics
from inference.service import build_gate
from inference.settings import ServiceSettings

_STALL_SECONDS = 6.0


def measure_gate(folder: Path, out: Path, mutations: int, flood_seconds: float) -> None:
    """Measure and publish.

    Raises:
        DataMissing: the folder holds no files.
        ServiceFailed: the service does not start.
    """
    gate = build_gate(ServiceSettings(), Metrics())
    alone = {**measure_cost(gate), **measure_small_files(gate)}
    gate.close()
    figures: Figures = {
        **alone,
        **measure_hostile(folder, mutations),
        **measure_over_http(folder),
        **measure_kills(),
        **measure_flood(flood_seconds),
        **measure_one_client(),
        **measure_stalls(_STALL_SECONDS),
    }
    publish("Gate", figures, out)

"""``python -m bench store``."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.report import publish
from bench.store.backups import measure_backup
from bench.store.ingest import measure_ingest
from bench.store.latency import PER_SECOND, measure_latency
from bench.store.losses import measure_losses
from bench.store.pages import measure_pages
from bench.store.records import Traffic, measure_vectors
from bench.store.servers import KINDS
from detectors.registry import FeatureVector
from store.requests.records import RequestRecord

_START = datetime(2026, 3, 1, tzinfo=UTC)
_DAYS = 30
_WORST: Mapping[str, Callable[[list[float]], float]] = {
    "ingest_{}_ratio_vs_core": min,
    "strict_added_ms_p50_{}": max,
    "strict_added_ms_p99_{}": max,
    "page_query_ms_p95_{}": max,
    "db_bytes_per_record_{}": max,
    "backup_while_writing_{}": min,
}


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        ingest_records: records on each side of the comparison.
        latency_seconds: how long requests arrive.
        kills: rounds of each fault.
        page_records: records that pages are read from; none is measured if 0.
    """

    ingest_records: int = 100_000
    latency_seconds: int = 20
    kills: int = 50
    page_records: int = 10_000_000


QUICK = Sizes(ingest_records=10_000, latency_seconds=3, kills=2, page_records=20_000)


def measure_store(cache: Path, out: Path, sizes: Sizes) -> None:
    """Measure on both databases and publish."""
    vectors = measure_vectors()
    figures: dict[str, Any] = {}
    for kind in KINDS:
        with scratch() as folder:
            figures |= measure_ingest(kind, folder, make_records(vectors, sizes.ingest_records))
        with scratch() as folder:
            arrivals = make_records(vectors, sizes.latency_seconds * PER_SECOND)
            figures |= measure_latency(kind, folder, arrivals)
        with scratch() as folder:
            figures |= measure_backup(kind, folder, make_records(vectors, sizes.ingest_records))
    with scratch() as folder:
        figures |= measure_losses(folder, sizes.kills)
    if sizes.page_records:
        traffic = Traffic(vectors, sizes.page_records, _START, timedelta(days=_DAYS))
        for kind in KINDS:
            figures |= measure_pages(kind, cache / f"store-{sizes.page_records}", traffic)
    publish("Store", worst(figures) | figures, out)


def worst(figures: Mapping[str, Any]) -> dict[str, float]:
    """One figure for both databases: the worse of the two."""
    result = {}
    for name, choose in _WORST.items():
        sides = [figures[each] for kind in KINDS if (each := name.format(kind)) in figures]
        if sides:
            result[name.replace("_{}", "")] = choose(sides)
    return result


def make_records(vectors: list[FeatureVector], count: int) -> list[RequestRecord]:
    """Records of a day, made beforehand."""
    return list(Traffic(vectors, count, _START, timedelta(days=1)).records())


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that the database's own user may enter."""
    with TemporaryDirectory(prefix="maskwatch-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder

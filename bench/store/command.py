"""``python -m bench store``."""

from collections.abc import Iterator
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
from bench.store.records import Traffic, measured_vectors
from bench.store.servers import KINDS
from detectors.registry import FeatureVector
from store.records import RequestRecord

_START = datetime(2026, 3, 1, tzinfo=UTC)
_DAYS = 30


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        ingested: records on each side of the comparison.
        latency_seconds: how long requests arrive.
        kills: rounds of each fault.
        stored: records that pages are read from; none is measured if 0.
    """

    ingested: int = 100_000
    latency_seconds: int = 20
    kills: int = 50
    stored: int = 10_000_000


QUICK = Sizes(ingested=10_000, latency_seconds=3, kills=2, stored=20_000)


def measure_store(cache: Path, out: Path, sizes: Sizes) -> None:
    """Measure on both databases and publish."""
    vectors = measured_vectors()
    figures: dict[str, Any] = {}
    for kind in KINDS:
        with scratch() as folder:
            figures |= measure_ingest(kind, folder, made(vectors, sizes.ingested))
        with scratch() as folder:
            arriving = made(vectors, sizes.latency_seconds * PER_SECOND)
            figures |= measure_latency(kind, folder, arriving)
        with scratch() as folder:
            figures |= measure_backup(kind, folder, made(vectors, sizes.ingested))
    with scratch() as folder:
        figures |= measure_losses(folder, sizes.kills)
    if sizes.stored:
        traffic = Traffic(vectors, sizes.stored, _START, timedelta(days=_DAYS))
        for kind in KINDS:
            figures |= measure_pages(kind, cache / f"store-{sizes.stored}", traffic)
    publish("Store", figures, out)


def made(vectors: list[FeatureVector], count: int) -> list[RequestRecord]:
    """Records of a day, made beforehand."""
    return list(Traffic(vectors, count, _START, timedelta(days=1)).records())


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that the database's own user may enter."""
    with TemporaryDirectory(prefix="maskwatch-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder

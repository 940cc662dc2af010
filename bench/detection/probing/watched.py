"""The service's measurement of traffic on a database of its own, without the HTTP edge."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from detectors.parsing import Image, LabelMap
from detectors.probing.differences import ProbingLimits
from detectors.probing.fingerprint import Fingerprint, Fingerprinter
from detectors.registry import FeatureVector
from detectors.verdict import Verdict
from inference.checks.traffic import TrafficCheck
from inference.upload import Arrival
from store.engine.database import Database
from store.engine.schema.versions import ensure_current
from store.requests.record_store import add_record
from store.requests.records import RequestRecord, Stage
from store.settings import StoreSettings

WINDOW = timedelta(hours=24)
_GAP = timedelta(seconds=1)


class Fingerprints(Fingerprinter):
    """Takes the fingerprint of a picture once, although several databases ask for it."""

    def __init__(self, salt: bytes) -> None:
        super().__init__(salt)
        self._last: tuple[Image, Fingerprint] | None = None

    def of(self, image: Image, label_map: LabelMap) -> Fingerprint:
        """As ever, or the last one if it is the same array."""
        if self._last is None or self._last[0] is not image:
            self._last = (image, super().of(image, label_map))
        return self._last[1]


class ProbedService:
    """A service that many clients ask in turn."""

    def __init__(self, database: Database, prints: Fingerprints, clients: int) -> None:
        self._database = database
        self._traffic = TrafficCheck(database, prints, ProbingLimits(), WINDOW)
        self._clients = clients
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self._requests = 0

    def ask(self, image: Image, label_map: LabelMap) -> bool:
        """Measure and record a request; whether it is found to be a query of a search."""
        self._now += _GAP
        self._requests += 1
        request_id = str(UUID(int=self._requests))
        client = f"ip:192.0.2.{self._requests % self._clients}"
        arrival = Arrival(request_id, self._now, client, "bench")
        measurement = self._traffic.measure(arrival, image, label_map)
        record = RequestRecord(
            request_id=request_id,
            received_at=self._now,
            client=client,
            route="api",
            stage=Stage.PARSED,
            verdict=Verdict.FLAG if measurement.findings else Verdict.PASS,
            status=200,
            features=FeatureVector.of(measurement.features),
            findings=measurement.findings,
            trace=measurement.trace,
        )
        with self._database.write() as session:
            add_record(session, record)
        return bool(measurement.findings)

    def wait(self) -> None:
        """Let the window pass, so that the next sequence meets none of this one."""
        self._now += WINDOW + _GAP


@contextmanager
def open_service(prints: Fingerprints, clients: int) -> Iterator[ProbedService]:
    """A service on a new SQLite file."""
    # In memory where there is such a folder: durability is not what is measured.
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with TemporaryDirectory(dir=memory) as folder:
        database = Database.open(StoreSettings(var_dir=Path(folder)))
        ensure_current(database)
        yield ProbedService(database, prints, clients)
        database.close()

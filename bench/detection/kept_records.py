"""A store with the pictures that a service would have kept, for the jobs that look at them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import uuid4

from detectors.findings import Finding
from detectors.parsing import Image
from detectors.registry import FeatureVector
from detectors.verdict import Verdict
from inference.gate.faces import FacePrior
from inference.recording.picture_keeper import PictureKeeper
from inference.segmenters.base import Segmenter
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.engine.database import Database
from store.engine.schema.versions import upgrade
from store.requests.picture_store import PictureStore
from store.requests.record_store import add_records
from store.requests.records import RequestRecord, Stage

_ALL = 1.0


class KeptRecords:
    """Requests with their pictures; each is of a client of its own.

    Attributes:
        context: what a job gets that looks at them; its blocks are not simulated.
    """

    def __init__(self, database: Database, settings: JobSettings) -> None:
        self.context = JobContext(database, settings, datetime.now(UTC))
        self._keeper = PictureKeeper(PictureStore(settings.store.var_dir), _ALL, Random(0))  # noqa: S311

    def add(self, segmenter: Segmenter, image: Image, *findings: Finding) -> None:
        """Keep a picture: flagged by some findings, or of a request that passed."""
        request_id, (height, width) = str(uuid4()), image.shape[:2]
        verdict = Verdict.FLAG if findings else Verdict.PASS
        record = RequestRecord(
            request_id=request_id,
            received_at=self.context.now,
            client=f"key:{request_id[:8]}",
            route="api",
            stage=Stage.PARSED,
            verdict=verdict,
            status=200,
            reasons=tuple(finding.rule.code for finding in findings),
            features=FeatureVector.of({"height": float(height), "width": float(width)}),
            findings=findings,
            evidence=self._keeper.keep(verdict, image, segmenter.parse(image), FacePrior(tuple)),
        )
        with self.context.database.write() as session:
            add_records(session, [record])


@contextmanager
def kept_records() -> Iterator[KeptRecords]:
    """An empty store, which is thrown away afterwards."""
    with TemporaryDirectory() as folder:
        settings = JobSettings(var_dir=Path(folder), database_url=None, simulate_blocks=False)
        database = Database.open(settings)
        try:
            upgrade(database)
            yield KeptRecords(database, settings)
        finally:
            database.close()

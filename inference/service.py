"""Wires the service process once: settings in, a working pipeline out."""

from dataclasses import dataclass
from random import SystemRandom

from inference.access import Access
from inference.admission import Blacklist, Slots
from inference.evidence import EvidenceKeeper
from inference.gate.decode import SizeLimits
from inference.gate.faces import FaceFinder
from inference.gate.screen import Gate
from inference.metrics import Metrics
from inference.pipeline import Pipeline
from inference.recorder import Recorder
from inference.segmenters.reference.segmenter import DEFAULT_WEIGHTS, ReferenceSegmenter
from inference.settings import ServiceSettings
from inference.spool import Spool
from store.database import Database, StoreUnavailable
from store.evidence import EvidenceStore
from store.schema import ensure_current


@dataclass(frozen=True)
class Service:
    """Everything that the routes and the command line need."""

    settings: ServiceSettings
    database: Database
    pipeline: Pipeline
    recorder: Recorder
    access: Access
    blacklist: Blacklist
    slots: Slots
    metrics: Metrics

    def status(self) -> str:
        """``ready``, or ``degraded`` while the database is away and records go to the spool."""
        try:
            self.recorder.replay()
            with self.database.read() as session:
                session.connection()
        except StoreUnavailable:
            return "degraded"
        return "ready"

    def close(self) -> None:
        """End the thread, give the connections back."""
        self.access.close()
        self.database.close()


def build_service(settings: ServiceSettings) -> Service:
    """Load the segmenter, connect, check the schema.

    Raises:
        MaskwatchError: the model file, the database or the schema is not usable, with what to do.
    """
    segmenter = ReferenceSegmenter.load(settings.model_file or DEFAULT_WEIGHTS)
    database = Database.open(settings)
    ensure_current(database)
    metrics = Metrics()
    recorder = Recorder(database, Spool(settings.var_dir), metrics)
    limits = SizeLimits(settings.max_pixels, settings.min_side, settings.max_side)
    pipeline = Pipeline(
        gate=Gate(settings.max_upload_bytes, limits, FaceFinder()),
        segmenter=segmenter,
        recorder=recorder,
        evidence=EvidenceKeeper(
            EvidenceStore(settings.var_dir), settings.evidence_sample_share, SystemRandom()
        ),
        metrics=metrics,
        limits=settings.topology_limits(),
        mode=settings.mode,
    )
    access = Access(database, metrics)
    slots = Slots(settings.max_concurrency, settings.max_queue, metrics)
    access.start(settings.access_refresh_seconds)
    return Service(
        settings, database, pipeline, recorder, access, Blacklist(access), slots, metrics
    )

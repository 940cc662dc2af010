"""Wires the service process once: settings in, a working pipeline out."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from random import SystemRandom
from typing import Protocol

import structlog

from inference.admission.access import Access
from inference.admission.byte_budget import ByteBudget
from inference.admission.places import Blacklist, SlotLimits, Slots
from inference.admission.queue.thread_pools import ThreadPool
from inference.admission.rate_limits import Buckets
from inference.admission.refusal_counts import RefusalCounts
from inference.admission.repeated_refusals import RepeatedRefusals
from inference.admission.senders import Senders
from inference.admission.tarpit import Tarpit
from inference.checks.catalogue import Parts, build_checks
from inference.checks.champion import Champion
from inference.checks.knowledge import Knowledge
from inference.ensemble.baselines import SHIPPED, Baselines
from inference.ensemble.draws import Draws
from inference.ensemble.sources import GivenSources, LearntSources, Sources
from inference.gate.faces import FaceFinder
from inference.gate.sandbox.pool import DecoderPool, DecoderUnusable
from inference.gate.screen import Gate
from inference.machine.cores import share_cores
from inference.metrics import Metrics
from inference.observing import Observations
from inference.pipeline import Pipeline
from inference.recording.picture_keeper import PictureKeeper
from inference.recording.readiness import DiskProbe, Readiness
from inference.recording.recorder import Recorder
from inference.results.cache import ParseCache
from inference.salt import fingerprint_salt
from inference.segmenters.base import Segmenter
from inference.settings import ServiceSettings
from inference.upstream.observe.observer import Observer
from inference.upstream.observe.preset_reader import PresetReader
from inference.upstream.presets.preset_files import load_preset
from inference.upstream.requests.sent_request import RequestLimits
from store.engine.database import Database, StoreUnavailable
from store.engine.start import open_database
from store.pages.source_progress import list_progress
from store.requests.picture_quota import PictureQuota
from store.requests.picture_store import PictureStore
from store.spool.spool import NotRecorded, Spool

_log = structlog.get_logger(__name__)
# They wait for the same commit: the more of them, the fewer commits.
_RECORDING_THREADS = 16
# A flood shows on pages and counts against its sender this soon.
_COUNTS_STORED_SECONDS = 2.0
# One that takes long to be taken apart shall not keep the others waiting.
_FORM_THREADS = 2
_BODY_OVERHEAD_BYTES = 65_536


class ModelHolder(Protocol):
    """Holds what parses; see :class:`inference.models.Models`."""

    @property
    def current(self) -> Segmenter:
        """What parses now; it may become another one."""
        ...

    def start(self) -> None:
        """Write down what parses."""
        ...

    def ask(self) -> None:
        """Ask for it to be loaded again."""
        ...

    def reload(self) -> bool:
        """Load it again now; whether it was."""
        ...

    def close(self) -> None:
        """End its threads."""
        ...


HoldModel = Callable[[Database, Metrics], ModelHolder]


@dataclass(frozen=True)
class Service:
    """Everything that the routes and the command line need."""

    settings: ServiceSettings
    database: Database
    models: ModelHolder
    pipeline: Pipeline
    recorder: Recorder
    access: Access
    senders: Senders
    champion: Champion
    sources: Sources
    blacklist: Blacklist
    slots: Slots
    metrics: Metrics
    buckets: Buckets
    repeated_refusals: RepeatedRefusals
    refusal_counts: RefusalCounts
    tarpit: Tarpit
    body_memory: ByteBudget
    observations: Observations
    observer: Observer
    observed_memory: ByteBudget
    form_threads: ThreadPool
    record_threads: ThreadPool
    status_threads: ThreadPool
    spool_probe: DiskProbe
    database_probe: DiskProbe | None

    def status(self) -> Readiness:
        """Whether the next upload would be recorded, and whether in the database at once."""
        return Readiness.of(
            database=self._database_takes_records(), spool=self.spool_probe.takes_files()
        )

    def describe_learning(self) -> str | None:
        """How far what parses is learnt, in a few words; ``None`` if nobody can say."""
        digest = self.pipeline.segmenter.digest
        try:
            with self.database.read() as session:
                sources = list_progress(session)
        except StoreUnavailable:
            return None
        return next((each.summary for each in sources if each.source == digest), None)

    def _database_takes_records(self) -> bool:
        """Also not while records wait in the spool: new ones go behind them."""
        try:
            with self.database.read() as session:
                session.connection()
            if not self.recorder.is_behind():
                return self.database_probe is None or self.database_probe.takes_files()
            self.recorder.try_again()
        except (StoreUnavailable, NotRecorded):
            pass
        return False

    def close(self) -> None:
        """End the threads and the decode workers, give the connections back."""
        self.observer.close()
        self.models.close()
        self.access.close()
        self.champion.close()
        if isinstance(self.sources, LearntSources):
            self.sources.close()
        self.pipeline.gate.close()
        self.recorder.close()
        self.refusal_counts.close()
        self.database.close()


def build_service(settings: ServiceSettings, hold: HoldModel | None = None) -> Service:
    """Load the segmenter, connect, check the schema.

    Args:
        hold: what holds the model; default: the one of the settings, hosted here.

    Raises:
        MaskwatchError: the model file, the database or the schema is not usable, with what to do.
    """
    share_cores(settings.admission.max_concurrency)
    metrics = Metrics()
    metrics.watch_disk(settings.store.var_dir)
    # First, for it may fail, and there is nothing yet that would have to be closed.
    baselines, reader = read_baselines(settings), build_reader(settings)
    hold = hold or _host_model(settings)
    database = open_database(settings)
    models = hold(database, metrics)
    champion = Champion(
        database, settings.store.var_dir, settings.outliers.outlier_p_value, metrics
    )
    champion.refresh()
    access = Access(database, metrics)
    sources = _build_sources(settings, baselines, database, models.current.digest, metrics)
    knowledge = _build_knowledge(settings, sources)
    slots = Slots(_slot_limits(settings), metrics)
    checks = build_checks(
        Parts(settings, database, access, champion, knowledge, metrics, slots.is_quiet)
    )
    gate = build_gate(settings, metrics)
    # Late, for it starts threads.
    recorder = Recorder(
        database, Spool(settings.store.var_dir), metrics, settings.records.recorder_limits()
    )
    pipeline = Pipeline(
        gate=gate,
        segmenter=models.current,
        checks=checks,
        recorder=recorder,
        evidence=build_evidence(settings, metrics),
        metrics=metrics,
        mode=settings.service.mode,
        knowledge=knowledge,
        cache=ParseCache(settings.service.cache_bytes, settings.digest()),
    )
    observations = Observations.of(pipeline, reader)
    access.start(settings.admission.access_refresh_seconds)
    champion.start(settings.admission.access_refresh_seconds)
    if isinstance(sources, LearntSources):
        sources.start(settings.admission.access_refresh_seconds)
    refusal_counts = RefusalCounts(database, metrics)
    refusal_counts.start(_COUNTS_STORED_SECONDS)
    return Service(
        settings=settings,
        database=database,
        models=models,
        pipeline=pipeline,
        recorder=recorder,
        access=access,
        senders=Senders(settings.proxies, metrics),
        champion=champion,
        sources=sources,
        blacklist=Blacklist(access),
        slots=slots,
        metrics=metrics,
        buckets=Buckets(settings.admission.rate_per_second, settings.admission.rate_burst),
        repeated_refusals=RepeatedRefusals(settings.admission.refusal_record_seconds),
        refusal_counts=refusal_counts,
        tarpit=_build_tarpit(settings),
        body_memory=_build_body_memory(settings),
        observations=observations,
        observer=Observer(settings.observe, observations.measure_exchange, metrics),
        observed_memory=ByteBudget(settings.observe.observe_memory_bytes // 3),
        form_threads=ThreadPool("forms", _FORM_THREADS),
        record_threads=ThreadPool("records", _RECORDING_THREADS),
        status_threads=ThreadPool("status", 1),
        spool_probe=DiskProbe(settings.store.var_dir / "spool"),
        database_probe=None if database.file is None else DiskProbe(database.file.parent),
    )


def _host_model(settings: ServiceSettings) -> HoldModel:
    # It loads a runtime for networks, which whoever stands in front of a service does not need.
    from inference.models import build_models, load_model  # noqa: PLC0415

    model = load_model(settings)
    return lambda database, metrics: build_models(settings, model, database, metrics)


def build_reader(settings: ServiceSettings) -> PresetReader:
    """What reads the pictures and masks of events.

    Raises:
        PresetError: the preset of the settings is wrong, or has no pictures at that path.
    """
    observe = settings.observe
    limits = RequestLimits(settings.gate.max_upload_bytes)
    return PresetReader.of(load_preset(observe.observe_preset), observe.observe_path, limits)


def _build_body_memory(settings: ServiceSettings) -> ByteBudget:
    """At least one body of the largest upload fits, in base64 too."""
    largest = 2 * settings.gate.max_upload_bytes + _BODY_OVERHEAD_BYTES
    return ByteBudget(max(settings.admission.max_body_memory_bytes, largest))


def _build_tarpit(settings: ServiceSettings) -> Tarpit:
    """At most a quarter of the connections is held back."""
    return Tarpit(
        settings.admission.refusal_pause_seconds,
        settings.connections.max_connections // 4,
        SystemRandom(),
    )


def _slot_limits(settings: ServiceSettings) -> SlotLimits:
    return SlotLimits(
        settings.admission.max_concurrency,
        settings.admission.max_queue,
        settings.admission.min_wait_seconds,
        settings.admission.max_wait_seconds,
        settings.admission.max_uploads_per_client,
    )


def build_evidence(settings: ServiceSettings, metrics: Metrics) -> PictureKeeper:
    """What keeps pictures, within the quota."""
    store = PictureStore(settings.store.var_dir)
    return PictureKeeper(
        store,
        settings.pictures.evidence_sample_share,
        SystemRandom(),
        PictureQuota(store, settings.pictures.evidence_quota_bytes),
        metrics.evidence_left_out.inc,
    )


def read_baselines(settings: ServiceSettings) -> Baselines:
    """The shipped one, and one that the settings name.

    Raises:
        BaselineError: the file that the settings name is missing or no baseline.
    """
    own = () if settings.looks.baseline is None else (settings.looks.baseline,)
    return Baselines.read(SHIPPED, *own)


def _build_sources(
    settings: ServiceSettings,
    baselines: Baselines,
    database: Database,
    digest: str,
    metrics: Metrics,
) -> Sources:
    """What is known of the sources, as far as it was learnt.

    Raises:
        StoreUnavailable: the source of this service cannot be written down.
    """
    if not settings.looks.learn_traffic:
        return GivenSources(baselines)
    sources = LearntSources(database, metrics, settings.looks.baseline)
    sources.offer(digest, baselines)
    sources.refresh()
    return sources


def _build_knowledge(settings: ServiceSettings, sources: Sources) -> Knowledge:
    looks = settings.looks
    return Knowledge(
        sources,
        Draws.keyed(fingerprint_salt(settings)),
        looks.ensemble_sample_share,
        is_learning=looks.learn_traffic,
    )


def build_gate(settings: ServiceSettings, metrics: Metrics) -> Gate:
    """Start the decode workers.

    Raises:
        DecoderUnusable: they do not start, or the settings ask for more protection than there is.
    """
    decoder = DecoderPool(
        settings.admission.max_concurrency + settings.observe.observe_workers,
        settings.gate.worker_limits(),
        lambda end: metrics.decoder_ends.labels(end).inc(),
    )
    if not decoder.sandbox.is_complete():
        if settings.gate.require_sandbox:
            decoder.close()
            raise DecoderUnusable(
                "This machine offers no complete sandbox for decode workers: `maskwatch doctor` "
                "says what is missing; MASKWATCH_REQUIRE_SANDBOX=false starts without it."
            )
        _log.warning("decode workers are not fully sandboxed", **asdict(decoder.sandbox))
    return Gate(settings.gate.gate_limits(), decoder, FaceFinder())

"""Makes the parts of a service from its settings."""

from dataclasses import asdict
from random import SystemRandom

import structlog

from inference.admission.access import Access
from inference.admission.admission import Admission
from inference.admission.byte_budget import ByteBudget
from inference.admission.places import Blacklist, SlotLimits, Slots
from inference.admission.rate_limits import Buckets
from inference.admission.refusal_counts import RefusalCounts
from inference.admission.repeated_refusals import RepeatedRefusals
from inference.admission.senders import Senders
from inference.admission.tarpit import Tarpit
from inference.checks.catalogue import Parts, build_checks
from inference.checks.champion import Champion
from inference.checks.knowledge import Knowledge
from inference.ensemble.baselines import Baselines
from inference.ensemble.draws import Draws
from inference.ensemble.sources import GivenSources, LearntSources, Sources
from inference.gate.faces import FaceFinder
from inference.gate.sandbox.pool import DecoderPool, DecoderUnusable
from inference.gate.screen import Gate
from inference.metrics import Metrics
from inference.pipeline import Pipeline
from inference.recording.picture_keeper import PictureKeeper
from inference.recording.recorder import Recorder
from inference.results.cache import ParseCache
from inference.salt import fingerprint_salt
from inference.segmenters.base import Segmenter
from inference.settings import ServiceSettings
from inference.upstream.observe.preset_reader import PresetReader
from inference.upstream.presets.preset_files import load_preset
from inference.upstream.requests.sent_request import RequestLimits
from store.engine.database import Database
from store.models.outlier_models import OutlierModelStore
from store.requests.picture_quota import PictureQuota
from store.requests.picture_store import PictureStore
from store.spool.spool import Spool

_log = structlog.get_logger(__name__)
# A flood shows on pages and counts against its sender this soon.
_COUNTS_STORED_SECONDS = 2.0
_BODY_OVERHEAD_BYTES = 65_536


def build_reader(settings: ServiceSettings) -> PresetReader:
    """What reads the pictures and masks of events.

    Raises:
        PresetError: the preset of the settings is wrong, or has no pictures at that path.
    """
    observe = settings.observe
    limits = RequestLimits(settings.gate.max_upload_bytes)
    return PresetReader.of(load_preset(observe.observe_preset), observe.observe_path, limits)


def build_picture_keeper(settings: ServiceSettings, metrics: Metrics) -> PictureKeeper:
    """What keeps pictures, within the quota."""
    store = PictureStore(settings.store.var_dir)
    return PictureKeeper(
        store,
        settings.pictures.evidence_sample_share,
        SystemRandom(),
        PictureQuota(store, settings.pictures.evidence_quota_bytes),
        metrics.evidence_left_out.inc,
    )


def build_sources(
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


def build_knowledge(settings: ServiceSettings, sources: Sources) -> Knowledge:
    """What is known of sources, and which requests they are learnt from."""
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


def build_champion(settings: ServiceSettings, database: Database, metrics: Metrics) -> Champion:
    """What scores requests, with the model that is promoted now."""
    outliers = settings.outliers
    store = OutlierModelStore(settings.store.var_dir, outliers.outlier_model_keys)
    champion = Champion(database, store, outliers.outlier_p_value, metrics)
    champion.refresh()
    return champion


def build_recorder(settings: ServiceSettings, database: Database, metrics: Metrics) -> Recorder:
    """What keeps records; it starts threads."""
    spool = Spool(settings.store.var_dir)
    return Recorder(database, spool, metrics, settings.records.recorder_limits())


def build_pipeline(parts: Parts, segmenter: Segmenter) -> Pipeline:
    """The request path; it starts decode workers and threads.

    Raises:
        SaltUnusable: see :func:`build_checks`.
        DecoderUnusable: see :func:`build_gate`.
    """
    settings, metrics = parts.settings, parts.metrics
    return Pipeline(
        checks=build_checks(parts),
        gate=build_gate(settings, metrics),
        segmenter=segmenter,
        # Late, for it starts threads.
        recorder=build_recorder(settings, parts.database, metrics),
        picture_keeper=build_picture_keeper(settings, metrics),
        metrics=metrics,
        mode=settings.service.mode,
        knowledge=parts.knowledge,
        cache=ParseCache(settings.service.cache_bytes, settings.digest()),
    )


def build_slots(settings: ServiceSettings, metrics: Metrics) -> Slots:
    """Places and turns of uploads."""
    limits = SlotLimits(
        settings.admission.max_concurrency,
        settings.admission.max_queue,
        settings.admission.min_wait_seconds,
        settings.admission.max_wait_seconds,
        settings.admission.max_uploads_per_client,
    )
    return Slots(limits, metrics)


def build_admission(
    settings: ServiceSettings, database: Database, access: Access, metrics: Metrics
) -> Admission:
    """What decides about requests; it starts to store what it counts."""
    limits, refusal_counts = settings.admission, RefusalCounts(database, metrics)
    refusal_counts.start(_COUNTS_STORED_SECONDS)
    return Admission(
        senders=Senders(settings.proxies, metrics),
        blacklist=Blacklist(access),
        buckets=Buckets(limits.rate_per_second, limits.rate_burst),
        repeated_refusals=RepeatedRefusals(limits.refusal_record_seconds),
        refusal_counts=refusal_counts,
        tarpit=_build_tarpit(settings),
    )


def build_body_memory(settings: ServiceSettings) -> ByteBudget:
    """Memory for bodies that are read: at least one of the largest upload fits, in base64 too."""
    largest = 2 * settings.gate.max_upload_bytes + _BODY_OVERHEAD_BYTES
    return ByteBudget(max(settings.admission.max_body_memory_bytes, largest))


def _build_tarpit(settings: ServiceSettings) -> Tarpit:
    """At most a quarter of the connections is held back."""
    return Tarpit(
        settings.admission.refusal_pause_seconds,
        settings.connections.max_connections // 4,
        SystemRandom(),
    )

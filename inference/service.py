"""Wires the service process once: settings in, a working pipeline out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from inference.admission.access import Access
from inference.admission.admission import Admission
from inference.admission.byte_budget import ByteBudget
from inference.admission.places import Slots
from inference.admission.queue.thread_pools import ThreadPool
from inference.checks.catalogue import Parts
from inference.checks.champion import Champion
from inference.ensemble.sources import Sources
from inference.fresh_copy import FreshCopies, FreshCopy
from inference.machine.cores import share_cores
from inference.metrics import Metrics
from inference.observing import Observations
from inference.pipeline import Pipeline
from inference.recording.readiness import RecordRoom
from inference.segmenters.base import Segmenter
from inference.settings import ServiceSettings
from inference.upstream.observe.observer import Observer
from inference.upstream.observe.preset_reader import PresetReader
from inference.upstream.observe.source_namer import SourceNamer
from inference.wiring import (
    build_admission,
    build_body_memory,
    build_champion,
    build_knowledge,
    build_pipeline,
    build_reader,
    build_slots,
    build_sources,
)
from store.engine.database import Database, StoreUnavailable
from store.engine.start import open_database
from store.pages.source_progress import list_progress

# They wait for the same commit: the more of them, the fewer commits.
_RECORDING_THREADS = 16
# One that takes long to be taken apart shall not keep the others waiting.
_FORM_THREADS = 2


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
    access: Access
    champion: Champion
    sources: Sources
    copies: FreshCopies
    admission: Admission
    slots: Slots
    body_memory: ByteBudget
    metrics: Metrics
    observations: Observations
    observer: Observer
    observed_memory: ByteBudget
    record_room: RecordRoom
    form_threads: ThreadPool = field(default_factory=partial(ThreadPool, "forms", _FORM_THREADS))
    record_threads: ThreadPool = field(
        default_factory=partial(ThreadPool, "records", _RECORDING_THREADS)
    )
    status_threads: ThreadPool = field(default_factory=partial(ThreadPool, "status", 1))

    def describe_learning(self) -> str | None:
        """How far what parses is learnt, in a few words; ``None`` if nobody can say."""
        digest = self.pipeline.segmenter.digest
        try:
            with self.database.read() as session:
                sources = list_progress(session)
        except StoreUnavailable:
            return None
        return next((each.summary for each in sources if each.source == digest), None)

    def close(self) -> None:
        """End the threads and the decode workers, give the connections back."""
        self.observer.close()
        self.models.close()
        self.copies.close()
        self.pipeline.gate.close()
        self.pipeline.recorder.close()
        self.admission.refusal_counts.close()
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
    baselines, reader = settings.looks.read_baselines(), build_reader(settings)
    hold = hold or _host_model(settings)
    database = open_database(settings)
    models = hold(database, metrics)
    champion = build_champion(settings, database, metrics)
    sources = build_sources(settings, baselines, database, models.current.digest, metrics)
    knowledge, slots = build_knowledge(settings, sources), build_slots(settings, metrics)
    access = Access(database, metrics)
    parts = Parts(settings, database, access, champion, knowledge, metrics, slots.is_quiet)
    service = _assemble(parts, models, slots, reader)
    service.copies.start(settings.admission.access_refresh_seconds)
    return service


def _assemble(parts: Parts, models: ModelHolder, slots: Slots, reader: PresetReader) -> Service:
    settings, database, metrics = parts.settings, parts.database, parts.metrics
    sources = parts.knowledge.sources
    copies = (
        part for part in (parts.access, parts.champion, sources) if isinstance(part, FreshCopy)
    )
    pipeline = build_pipeline(parts, models.current)
    metrics.mark_var_folder(settings.store.var_dir)
    observations = Observations.of(pipeline, reader, SourceNamer(database))
    return Service(
        settings=settings,
        database=database,
        models=models,
        pipeline=pipeline,
        access=parts.access,
        champion=parts.champion,
        sources=sources,
        copies=FreshCopies(database, *copies),
        admission=build_admission(settings, database, parts.access, metrics),
        slots=slots,
        body_memory=build_body_memory(settings),
        metrics=metrics,
        observations=observations,
        observer=Observer(settings.observe, observations.measure_exchange, metrics),
        observed_memory=ByteBudget(settings.observe.observe_memory_bytes // 3),
        record_room=RecordRoom.of(database, pipeline.recorder, settings.store.var_dir),
    )


def _host_model(settings: ServiceSettings) -> HoldModel:
    # It loads a runtime for networks, which whoever stands in front of a service does not need.
    from inference.hosting import load_model  # noqa: PLC0415
    from inference.models import build_models  # noqa: PLC0415

    model = load_model(settings)
    return lambda database, metrics: build_models(settings, model, database, metrics)

"""Wires a proxy once: settings in, a service that stands in front of an upstream out."""

from dataclasses import replace

import structlog

from inference.admission.byte_budget import ByteBudget
from inference.checks.sparing import spare_upstream
from inference.metrics import Metrics
from inference.pipeline import Pipeline
from inference.proxying import Proxy, max_picture_bytes
from inference.service import build_service
from inference.settings import ProxySettings
from inference.upstream.answers.source_digest import digest_source
from inference.upstream.courtesy import Courtesy
from inference.upstream.looks.look_gate import LookGate
from inference.upstream.looks.look_mark import LookMark
from inference.upstream.looks.repeatable import NO_LOOKS, can_ask_again
from inference.upstream.looks.upstream_asker import UpstreamAsker
from inference.upstream.looks.upstream_looks import UpstreamLooks
from inference.upstream.pending_calls import PendingCalls
from inference.upstream.presets.preset import Preset
from inference.upstream.presets.preset_files import load_preset
from inference.upstream.relay.address import UpstreamAddress
from inference.upstream.relay.forwarding import Forwarding
from inference.upstream.relay.relay import Relay
from inference.upstream.reply_reader import ReplyReader
from inference.upstream.requests.sent_request import RequestLimits
from inference.upstream.source import GivenSource
from inference.upstream.uploaded_files import UploadedFiles
from inference.upstream.upstream_settings import SentHost
from inference.upstream.work_queue import WorkQueue
from store.baselines.source_names import name_source
from store.engine.database import Database

_log = structlog.get_logger(__name__)


class UpstreamHolder:
    """Stands where a hosted model is held: an upstream is loaded by somebody else."""

    def __init__(self, source: GivenSource) -> None:
        self.current = source

    def start(self) -> None:
        """Nothing has to be written down: no files of ours are loaded."""

    def ask(self) -> None:
        """Nothing can be loaded again."""

    def reload(self) -> bool:
        """Nothing can be loaded again."""
        return False

    def close(self) -> None:
        """There are no threads."""


def build_proxy(settings: ProxySettings) -> Proxy:
    """Read the preset, connect to the database, start the gate; the upstream may still be away.

    Raises:
        MaskwatchError: no upstream is named, the preset is wrong, or the database is not usable.
    """
    address, preset = settings.relay.upstream_address(), _read_preset(settings)
    digest = digest_source(preset.digest, preset.labels, settings.relay.upstream)
    source = GivenSource(digest, preset.labels.names, f"upstream:{preset.name}")

    def hold(database: Database, _metrics: Metrics) -> UpstreamHolder:
        with database.write() as session:
            name_source(session, digest, f"{preset.name} at {address.url}")
        return UpstreamHolder(source)

    service = build_service(settings, hold)
    pipeline = _spare_upstream(service.pipeline, settings)
    queue, memory = _build_queue(settings), _build_memory(settings)
    service.metrics.watch_replies(lambda: len(queue), lambda: memory.used_bytes)
    reader = _build_reader(settings, preset, queue)
    gate = LookGate(settings.asking.look_limits(), service.metrics, lambda: queue.is_half_empty)
    forwarding = _build_forwarding(settings, address)
    return Proxy(
        settings=settings,
        service=replace(service, pipeline=pipeline),
        preset=preset,
        relay=Relay(address, forwarding, settings.relay.relay_limits()),
        looks=UpstreamLooks(source, reader, gate, _build_asker(settings, address, forwarding)),
        reader=reader,
        limits=RequestLimits(settings.gate.max_upload_bytes),
        memory=memory,
        queue=queue,
        uploads=UploadedFiles(settings.attach.keep_limits()),
        calls=PendingCalls(settings.attach.keep_limits()),
    )


def _read_preset(settings: ProxySettings) -> Preset:
    """The preset of the settings; what it cannot do is said in the log."""
    preset = load_preset(settings.attach.preset)
    if unknown := preset.labels.unknown:
        _log.warning("labels without a part group", preset=preset.name, labels=unknown)
    if settings.asking.upstream_looks and not can_ask_again(preset):
        _log.warning(NO_LOOKS, preset=preset.name)
    return preset


def _spare_upstream(pipeline: Pipeline, settings: ProxySettings) -> Pipeline:
    """The pipeline with few looks, and a sample of what is looked at whatever it holds.

    Without looks all requests are the sample: only limits and budgets are learnt then.
    """
    share, knowledge = settings.asking.upstream_look_share, pipeline.knowledge
    if settings.asking.upstream_looks:
        knowledge = replace(knowledge, share=share, learning_share=share)
    checks = spare_upstream(pipeline.checks, knowledge)
    return replace(pipeline, checks=checks, knowledge=knowledge)


def _build_queue(settings: ProxySettings) -> WorkQueue:
    """Where answers wait to be read and checked beside the traffic."""
    attach = settings.attach
    return WorkQueue(
        "replies",
        attach.max_waiting_replies,
        attach.max_waiting_bytes,
        threads=1,
        waiting=settings.asking.max_upstream_looks,
    )


def _build_memory(settings: ProxySettings) -> ByteBudget:
    """Memory for pictures and answers while requests are passed on."""
    attach, largest = settings.attach, max_picture_bytes(settings)
    return ByteBudget(attach.held_bytes(largest), attach.held_client_bytes(largest))


def _build_reader(settings: ProxySettings, preset: Preset, queue: WorkQueue) -> ReplyReader:
    """What reads answers; it goes slowly while there is room for what waits."""
    courtesy = Courtesy(may_wait=lambda: queue.is_half_empty)
    return ReplyReader(preset.labels, settings.attach.max_answer_bytes, courtesy)


def _build_forwarding(settings: ProxySettings, address: UpstreamAddress) -> Forwarding:
    keeps_host = settings.relay.upstream_host is SentHost.CLIENT
    return Forwarding(address, settings.proxies.trusted_proxies, keeps_host=keeps_host)


def _build_asker(
    settings: ProxySettings, address: UpstreamAddress, forwarding: Forwarding
) -> UpstreamAsker:
    """Connections for looks alone, and how long each may take."""
    asking, limits = settings.asking, settings.relay.relay_limits()
    relay = Relay(address, forwarding, replace(limits, max_connections=asking.max_upstream_looks))
    max_bytes, folder = settings.attach.max_answer_bytes, settings.store.var_dir
    return UpstreamAsker(relay, LookMark(), asking.upstream_look_seconds, max_bytes, folder)

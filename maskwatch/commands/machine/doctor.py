"""``maskwatch doctor``: what this machine offers, and what stands in the way of a start."""

from collections.abc import Iterator
from datetime import UTC, datetime

from PIL import features

from inference.gate.faces import FaceFinder
from inference.gate.sandbox.pool import DecoderPool
from inference.hosting import load_model
from inference.segmenters.processor import read_processor_flags, resolve_precision
from inference.settings import ProxySettings, ServiceSettings
from jobs.commands import preview_blocks
from jobs.settings import JobSettings
from maskwatch.commands.checks import Check, State, run_check, tell_once
from maskwatch.commands.jobs.health import check_jobs
from maskwatch.commands.machine.mail_check import check_mail_settings
from maskwatch.commands.machine.running_service import check_running_service
from maskwatch.commands.machine.source_checks import check_sources
from maskwatch.commands.machine.store_checks import examine_store
from maskwatch.commands.machine.upstream_check import check_upstream
from store.phrases import phrase_count
from store.settings import load_settings

# Flags that decide how quick a model is begin so (the last three on Arm); others would hide them.
_FEATURES = ("avx", "amx", "fma", "asimd", "sve", "bf16")


def examine_machine(settings: ServiceSettings) -> Iterator[Check]:
    """Look at everything that a start needs; of what many checks fail is said once."""
    return tell_once(_run_checks(settings))


def _run_checks(settings: ServiceSettings) -> Iterator[Check]:
    yield from run_check("decode workers", lambda: _check_decode_workers(settings))
    yield from run_check("picture libraries", _check_libraries)
    yield from run_check("face prior", _check_face_prior)
    yield from run_check("processor", lambda: _check_processor(settings))
    if isinstance(settings, ProxySettings) and settings.relay.upstream:
        yield from run_check("upstream", lambda: check_upstream(settings))
    else:
        yield from run_check("segmenter", lambda: _check_segmenter(settings))
    yield from examine_store(settings)
    yield from run_check("sources", lambda: check_sources(settings))
    yield from run_check("blocks", lambda: _check_blocks(settings))
    yield from run_check("jobs", lambda: check_jobs(settings))
    yield from run_check("mail", lambda: check_mail_settings(_job_settings(settings)))
    yield from run_check("forwarded headers", lambda: check_running_service(settings))


def _check_decode_workers(settings: ServiceSettings) -> Iterator[Check]:
    pool = DecoderPool(1, settings.gate.worker_limits())
    sandbox = pool.sandbox
    pool.close()
    landlock = f"version {sandbox.landlock} of the interface" if sandbox.landlock else "not offered"
    for name, is_active, effect in (
        ("resource limits", sandbox.limits, "memory, processor time, no core dump, no file"),
        ("seccomp", sandbox.seccomp, "system calls of decode workers are filtered"),
        ("landlock", sandbox.landlock > 0, f"no files, no ports: {landlock}"),
    ):
        state = State.OK if is_active else _judge_lack(settings)
        yield Check(name, state, effect if is_active else "The kernel does not offer it.")


def _judge_lack(settings: ServiceSettings) -> State:
    return State.FAIL if settings.gate.require_sandbox else State.WARN


def _check_libraries() -> Iterator[Check]:
    names = ("pil", "libjpeg_turbo", "zlib", "webp", "littlecms2")
    versions = (f"{name} {features.version(name)}" for name in names if features.check(name))
    yield Check("picture libraries", State.OK, ", ".join(versions))


def _check_face_prior() -> Iterator[Check]:
    FaceFinder()
    yield Check("face prior", State.OK, "The Haar cascade is there.")


def _check_processor(settings: ServiceSettings) -> Iterator[Check]:
    flags = read_processor_flags()
    names = sorted(name for name in flags if name.startswith(_FEATURES))
    setting = settings.parsing.model_precision
    precision = resolve_precision(setting)
    sentence = f"m2fp computes in {precision} on it (MASKWATCH_MODEL_PRECISION={setting})."
    if flags:
        yield Check("processor", State.OK, f"{', '.join(names) or 'plain'}; {sentence}")
    else:
        yield Check("processor", State.WARN, f"The system does not say what it can do; {sentence}")


def _check_segmenter(settings: ServiceSettings) -> Iterator[Check]:
    model = load_model(settings)
    yield Check("segmenter", State.OK, f"{model.segmenter.name}, {model.files.digest[:12]}")
    standing = model.files.standing
    if standing.is_proven:
        yield Check("model signature", State.OK, standing.sentence)
    else:
        why = f"{standing.sentence} MASKWATCH_REQUIRE_SIGNED_MODEL=false lets it serve."
        yield Check("model signature", State.WARN, why)


def _job_settings(service: ServiceSettings) -> JobSettings:
    """Those of the jobs on the same database."""
    store = service.store
    return load_settings(JobSettings, var_dir=store.var_dir, database_url=store.database_url)


def _check_blocks(service: ServiceSettings) -> Iterator[Check]:
    """Whom enforced blocks hit, before somebody enforces them."""
    settings = _job_settings(service)
    plan = preview_blocks(settings, datetime.now(UTC))
    hit = "".join(f" {block.value} ({block.reason})" for block in plan.enforced) or " nobody."
    if plan.proposals:
        hit += f" {phrase_count(len(plan.proposals), 'more block')} would wait for a person."
    if settings.blocking.simulate_blocks:
        yield Check("blocks", State.OK, f"Simulated. Enforced now, they would hit:{hit}")
    else:
        yield Check("blocks", State.OK, f"Enforced. The next `decide` blocks:{hit}")

"""The job ``integrity``: are the model files on disk still what this host's services loaded?"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from sqlalchemy.orm import Session

from jobs.context import JobContext, JobOutcome, Skipped
from store.alerts.alerts import CRITICAL, Condition, apply_condition, open_alerts
from store.engine.locks import take_turn
from store.models.loaded_models import models_in_use, this_host
from store.models.model_files import Differences, differences, escape_name
from store.phrases import phrase_count
from store.tables.work_tables import LoadedModelRow

MODEL_FILE_CHANGED = "model_file_changed"
# The evidence of an alert goes into mails and pages: a folder full of new files must not.
_MAX_NAMES, _MAX_SENTENCE_NAMES = 20, 5
# What was put on disk is the next model: that is manipulation, by way of the supply chain.
_ATLAS, _OWASP = "AML.T0018", "ML06:2023"


_Look = tuple[LoadedModelRow, Differences]


def run(context: JobContext) -> JobOutcome:
    """Hash the files again and raise or resolve an alert for each model."""
    host = this_host()
    with context.database.read() as session:
        loads = models_in_use(session, host)
    if not loads:
        raise Skipped(f"No service on {host} has loaded a model yet: there is nothing to compare.")
    # Hashing takes a while: no transaction waits for it.
    looks = [(load, differences(Path(load.path), load.files)) for load in loads]
    with context.database.write() as session:
        take_turn(session, "alerts")
        in_use = models_in_use(session, host)
        current = _still_in_use(looks, in_use)
        for condition in (*_conditions(current), *_over(session, host, in_use)):
            apply_condition(session, condition, context.now, judge="integrity")
    return _outcome([change for _, change in current])


def model_changed_condition(load: LoadedModelRow, change: Differences) -> Condition:
    """Some file of a model is not what a service loaded."""
    return Condition(
        fingerprint=_fingerprint(load.host, load.path),
        rule=MODEL_FILE_CHANGED,
        severity=CRITICAL,
        active=change.total > 0,
        value=float(change.total),
        threshold=0.0,
        summary=_summary(load, change),
        atlas=_ATLAS,
        owasp=_OWASP,
        evidence={
            "model": load.path,
            "host": load.host,
            "service": load.service,
            "loaded_digest": load.digest,
            "loaded_at": f"{load.loaded_at:%d %b %Y %H:%M} UTC",
            "files": [
                [kind, name] for kind, names in change.kinds() for name in _first_names(names)
            ],
        },
    )


def _still_in_use(looks: Iterable[_Look], in_use: Iterable[LoadedModelRow]) -> list[_Look]:
    """Leave out what was loaded anew meanwhile: the files belong to another load now."""
    ids = {load.id for load in in_use}
    return [(load, change) for load, change in looks if load.id in ids]


def _conditions(looks: Iterable[_Look]) -> Iterator[Condition]:
    for load, change in looks:
        yield model_changed_condition(load, change)


def _over(session: Session, host: str, loads: Sequence[LoadedModelRow]) -> Iterator[Condition]:
    """Conditions that resolve the alerts about models that this host does not use any more."""
    fingerprints = {_fingerprint(load.host, load.path) for load in loads}
    for alert in open_alerts(session, MODEL_FILE_CHANGED):
        if alert.evidence.get("host") == host and alert.fingerprint not in fingerprints:
            yield Condition(
                fingerprint=alert.fingerprint,
                rule=MODEL_FILE_CHANGED,
                severity=CRITICAL,
                active=False,
                value=0.0,
                threshold=0.0,
                summary=f"The model {alert.evidence.get('model')} is not used on {host} any more.",
                atlas=_ATLAS,
                owasp=_OWASP,
                evidence=alert.evidence,
            )


def _fingerprint(host: str, path: str) -> str:
    """One for each model path of a host, short enough for its column."""
    return f"{MODEL_FILE_CHANGED}:{sha256(f'{host}:{path}'.encode()).hexdigest()[:32]}"


def _summary(load: LoadedModelRow, change: Differences) -> str:
    where = f"of the model {escape_name(load.path)} on {load.host}"
    if not change.total:
        return f"All files {where} are what the service {load.service} loaded."
    parts = "; ".join(f"{kind}: {_join_names(names)}" for kind, names in change.kinds() if names)
    differ = "differs" if change.total == 1 else "differ"
    return (
        f"{phrase_count(change.total, 'file')} {where} {differ} from what the service "
        f"{load.service} loaded ({parts})."
    )


def _join_names(names: Sequence[str]) -> str:
    more = len(names) - _MAX_SENTENCE_NAMES
    text = ", ".join(escape_name(name) for name in names[:_MAX_SENTENCE_NAMES])
    return f"{text} and {more} more" if more > 0 else text


def _first_names(names: Sequence[str]) -> list[str]:
    return [escape_name(name) for name in names[:_MAX_NAMES]]


def _outcome(changes: Sequence[Differences]) -> JobOutcome:
    count = sum(each.total > 0 for each in changes)
    return JobOutcome(
        f"{phrase_count(len(changes), 'model')} compared with the files on disk, {count} changed.",
        len(changes),
    )

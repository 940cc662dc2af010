"""The alert rule ``model_file_changed``: files of a model are not what a service loaded."""

from collections.abc import Iterator, Sequence
from hashlib import sha256

from sqlalchemy.orm import Session

from store.alert_rules.rule import AlertRule, Facts, Unit, UnitKind, count_title, list_host
from store.alerts.alerts import CRITICAL, Condition, open_alerts
from store.models.model_files import Differences, escape_name
from store.phrases import phrase_count
from store.tables.work_tables import AlertRow, LoadedModelRow

MODEL_FILE_CHANGED = "model_file_changed"
# The evidence of an alert goes into mails and pages: a folder full of new files must not.
_MAX_NAMES, _MAX_SENTENCE_NAMES = 20, 5
# What was put on disk is the next model: that is manipulation, by way of the supply chain.
_ATLAS, _OWASP = "AML.T0018", "ML06:2023"


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


def list_unused_model_conditions(
    session: Session, host: str, loads: Sequence[LoadedModelRow]
) -> Iterator[Condition]:
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


def _list_facts(alert: AlertRow) -> Facts:
    evidence = alert.evidence
    return (
        ("Model", str(evidence.get("model"))),
        *list_host(alert),
        ("Service", str(evidence.get("service"))),
        ("Loaded", str(evidence.get("loaded_at"))),
        ("Digest when loaded", str(evidence.get("loaded_digest"))),
    )


RULE = AlertRule(
    code=MODEL_FILE_CHANGED,
    words="Model file changed",
    meaning="Files of a model on disk are not what a service of the host loaded.",
    unit=Unit(UnitKind.COUNT, "file"),
    # No names: whoever writes files chooses them, and a subject is a header.
    firing=count_title("model file", "changed"),
    resolved=lambda _: "model files as loaded",
    next_steps=(
        "Did somebody you know replace the model? Then check it with `maskwatch model verify` "
        "and let the service load it: send it SIGHUP, or restart it.",
        "If not, do not restart the service: the running model is still the one that was "
        "loaded. Keep a copy of the changed files, find out who wrote them, put the signed "
        "files back.",
        "The alert resolves by itself when the files match again.",
    ),
    runbook="model_file_changed",
    judge="integrity",
    facts=_list_facts,
)

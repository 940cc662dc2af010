"""The alert rule ``spool_in_use``: records of this host wait for the database."""

from hashlib import sha256
from pathlib import Path

import structlog

from store.alert_rules.rule import (
    AlertRule,
    Facts,
    Judgement,
    Surroundings,
    Unit,
    UnitKind,
    count_title,
    list_host,
)
from store.alerts.alerts import NO_TECHNIQUE, WARNING, Condition
from store.models.loaded_models import this_host
from store.phrases import phrase_count
from store.spool.spool import Backlog, NotRecorded, Spool
from store.tables.work_tables import AlertRow

SPOOL_IN_USE = "spool_in_use"
_log = structlog.get_logger(__name__)


def look_at_spool(around: Surroundings) -> Judgement:
    """Judge the spool of this host; not where this user may not look: other rules must go on."""
    var_dir = around.store.var_dir
    try:
        condition = spool_condition(Spool(var_dir).backlog(), this_host(), var_dir)
    except NotRecorded as error:
        _log.warning("spool not looked at", why=str(error))
        return lambda _session: iter(())
    return lambda _session: iter((condition,))


def spool_condition(backlog: Backlog, host: str, var_dir: Path) -> Condition:
    """Records wait in a spool."""
    return Condition(
        fingerprint=_fingerprint(host, var_dir),
        rule=SPOOL_IN_USE,
        severity=WARNING,
        active=backlog.records > 0,
        value=float(backlog.records),
        threshold=0.0,
        summary=_summary(backlog, host),
        atlas=NO_TECHNIQUE,
        owasp=NO_TECHNIQUE,
        evidence={"host": host, "var_dir": str(var_dir), "records": backlog.records},
    )


def _fingerprint(host: str, var_dir: Path) -> str:
    """One for each spool, short enough for its column."""
    spool = f"{host}:{var_dir.resolve()}"
    return f"{SPOOL_IN_USE}:{sha256(spool.encode()).hexdigest()[:32]}"


def _summary(backlog: Backlog, host: str) -> str:
    if not backlog.records:
        return f"No record waits in the spool on {host}."
    since = f", the oldest since {backlog.since:%d %b %Y %H:%M} UTC" if backlog.since else ""
    waits = "waits" if backlog.records == 1 else "wait"
    return (
        f"{phrase_count(backlog.records, 'record')} {waits} in the spool on {host}{since}: the "
        "database did not take them, and a service has yet to replay them."
    )


def _list_facts(alert: AlertRow) -> Facts:
    return (*list_host(alert), ("Folder", str(alert.evidence.get("var_dir"))))


RULE = AlertRule(
    code=SPOOL_IN_USE,
    words="Spool in use",
    meaning="Records of a host wait for the database.",
    unit=Unit(UnitKind.COUNT, "record"),
    firing=count_title("record", "in the spool"),
    resolved=lambda _: "spool is empty",
    next_steps=(
        "Nothing is lost: the records are on disk in the folder above. Do not remove it.",
        "See that the database runs and has room, and that a service runs on this host: it "
        "moves the records by itself. Its log says what holds it up.",
        "The alert resolves by itself when the spool is empty.",
    ),
    runbook="spool_in_use",
    look=look_at_spool,
    facts=_list_facts,
)

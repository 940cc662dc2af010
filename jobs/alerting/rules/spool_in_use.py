"""The alert rule ``spool_in_use``: records of this host wait for the database."""

from hashlib import sha256
from pathlib import Path

from store.alerts.alerts import NO_TECHNIQUE, WARNING, Condition
from store.phrases import phrase_count
from store.spool.spool import Backlog

SPOOL_IN_USE = "spool_in_use"


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

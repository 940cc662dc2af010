"""The alert rule ``disk_low``: a disk that records are written to is nearly full."""

from collections.abc import Iterator, Sequence
from hashlib import sha256

import structlog
from sqlalchemy.orm import Session

from store.alert_rules.rule import (
    AlertRule,
    Facts,
    Judgement,
    Surroundings,
    Unit,
    UnitKind,
    list_host,
)
from store.alerts.alerts import CRITICAL, NO_TECHNIQUE, WARNING, Condition, open_fingerprints
from store.engine.files.disk_room import DiskRoom, rooms_of
from store.models.loaded_models import this_host
from store.tables.work_tables import AlertRow

_log = structlog.get_logger(__name__)

DISK_LOW = "disk_low"
_MEGABYTE = 1_000_000
# An open alert closes only clearly above its limit, or it would flap on the border.
_RESOLVE_ABOVE = 1.25
_CRITICAL_SHARE = 0.1


def look_at_disks(around: Surroundings) -> Judgement:
    """Judge the disks of this host; none where this user may not look: other rules must go on."""
    try:
        rooms = rooms_of(around.store.var_dir, around.database_file)
    except OSError as error:
        _log.warning("disk not looked at", why=str(error))
        rooms = ()
    return lambda session: _conditions(session, rooms, around.store.min_free_disk_bytes)


def disk_fingerprint(host: str, room: DiskRoom) -> str:
    """One for each folder, short enough for its column."""
    place = f"{host}:{room.folder.resolve()}"
    return f"{DISK_LOW}:{sha256(place.encode()).hexdigest()[:32]}"


def disk_condition(room: DiskRoom, host: str, min_free_bytes: int, *, is_open: bool) -> Condition:
    """A disk has less room than it should.

    Args:
        is_open: whether the alert fires already; it then closes with more room.
    """
    limit = min_free_bytes * (_RESOLVE_ABOVE if is_open else 1.0)
    return Condition(
        fingerprint=disk_fingerprint(host, room),
        rule=DISK_LOW,
        severity=CRITICAL if room.usable_bytes < _CRITICAL_SHARE * min_free_bytes else WARNING,
        active=room.usable_bytes < limit,
        value=float(room.usable_bytes // _MEGABYTE),
        threshold=float(min_free_bytes // _MEGABYTE),
        summary=(
            f"The disk of {room.folder} on {host} has {room.usable_bytes // _MEGABYTE} MB left "
            f"(limit {min_free_bytes // _MEGABYTE} MB){room.note}. When it is full, uploads are "
            "refused."
        ),
        atlas=NO_TECHNIQUE,
        owasp=NO_TECHNIQUE,
        evidence={
            "host": host,
            "folder": str(room.folder),
            "free_mb": room.usable_bytes // _MEGABYTE,
            "disk_mb": room.total_bytes // _MEGABYTE,
        },
    )


def _conditions(
    session: Session, rooms: Sequence[DiskRoom], min_free_bytes: int
) -> Iterator[Condition]:
    host, fingerprints = this_host(), open_fingerprints(session)
    for room in rooms:
        is_open = disk_fingerprint(host, room) in fingerprints
        yield disk_condition(room, host, min_free_bytes, is_open=is_open)


def _list_facts(alert: AlertRow) -> Facts:
    return (*list_host(alert), ("Folder", str(alert.evidence.get("folder"))))


RULE = AlertRule(
    code=DISK_LOW,
    words="Disk low",
    meaning="A disk that records are written to is nearly full.",
    unit=Unit(UnitKind.AMOUNT, "MB"),
    firing=lambda alert: f"{alert.value:.0f} MB left on the disk (limit {alert.threshold:.0f} MB)",
    resolved=lambda _: "the disk has room again",
    next_steps=(
        "Free the disk of the folder above, or make it larger: what fills it, `du` says. Do not "
        "remove files of the folder by hand.",
        "MASKWATCH_EVIDENCE_QUOTA_MB and MASKWATCH_RETENTION_DAYS say what Maskwatch itself "
        "keeps; `maskwatch jobs run prune` removes what is too old at once.",
        "The alert resolves by itself when there is a quarter more room than the limit.",
    ),
    runbook="disk_low",
    look=look_at_disks,
    facts=_list_facts,
)

"""The alert rule ``disk_low``: a disk that records are written to is nearly full."""

from hashlib import sha256

from store.alerts.alerts import CRITICAL, NO_TECHNIQUE, WARNING, Condition
from store.engine.disk_room import DiskRoom

DISK_LOW = "disk_low"
_MEGABYTE = 1_000_000
# An open alert closes only clearly above its limit, or it would flap on the border.
_RESOLVE_ABOVE = 1.25
_CRITICAL_SHARE = 0.1


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
        severity=CRITICAL if room.free_bytes < _CRITICAL_SHARE * min_free_bytes else WARNING,
        active=room.free_bytes < limit,
        value=float(room.free_bytes // _MEGABYTE),
        threshold=float(min_free_bytes // _MEGABYTE),
        summary=(
            f"The disk of {room.folder} on {host} has {room.free_bytes // _MEGABYTE} MB left "
            f"(limit {min_free_bytes // _MEGABYTE} MB). When it is full, uploads are refused."
        ),
        atlas=NO_TECHNIQUE,
        owasp=NO_TECHNIQUE,
        evidence={
            "host": host,
            "folder": str(room.folder),
            "free_mb": room.free_bytes // _MEGABYTE,
            "disk_mb": room.total_bytes // _MEGABYTE,
        },
    )

"""Advice on pickles: what a file would call if somebody unpickled it. Nothing is run."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath

from picklescan.scanner import SafetyLevel, scan_bytes

_SUFFIXES = frozenset({".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt"})

# A file may name as many as it likes; one is enough to be warned.
_MAX_NAMES = 20


@dataclass(frozen=True)
class Advice:
    """What picklescan says of one file. It is advice: only tensors are loaded anyway.

    Attributes:
        dangerous: names that run code, e.g. ``posix.system``, sorted.
        unknown: names that it does not know.
        complete: whether it could read all of the file.
    """

    file: str
    dangerous: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    complete: bool = True


def may_be_pickle(name: str) -> bool:
    """Whether files of this name usually hold a pickle."""
    return PurePosixPath(name).suffix.lower() in _SUFFIXES


def advise(data: bytes, name: str) -> Advice:
    """Read the opcodes of every pickle in a file; a file that cannot be read is said to be one."""
    try:
        scan = scan_bytes(BytesIO(data), name, PurePosixPath(name).suffix.lower())
    except Exception:  # noqa: BLE001 - advice must not be what stops a start
        return Advice(name, complete=False)
    names: dict[SafetyLevel, set[str]] = {level: set() for level in SafetyLevel}
    for each in scan.globals:
        names[each.safety].add(f"{each.module}.{each.name}")
    return Advice(
        name,
        tuple(sorted(names[SafetyLevel.Dangerous])[:_MAX_NAMES]),
        tuple(sorted(names[SafetyLevel.Suspicious])[:_MAX_NAMES]),
        complete=not scan.scan_err,
    )

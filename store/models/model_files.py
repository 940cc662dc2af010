"""Model files: what lies on disk, and how it differs from what was loaded."""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

SIGNATURE_NAME = "model.sig"
"""The signature of a model folder lies in it under this name; it is no part of the model."""

MAX_FILES = 1_000
_CHUNK_BYTES = 1 << 20
_MAX_SHOWN = 200
# A link is not followed, and a pipe does not make the reader wait.
_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class UnusableFile(Exception):
    """A part of a model that cannot be used; ``str()`` says why, without its name."""


@dataclass(frozen=True)
class ModelFile:
    """One file of a model.

    Attributes:
        name: its path below the model folder, with ``/``; that of the file if there is only one.
        sha256: of its content, in hex.
        size: in bytes.
    """

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Differences:
    """How the files on disk differ from those that were loaded, by name."""

    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """How many names differ."""
        return sum(len(names) for _, names in self.kinds())

    def kinds(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Each kind of difference with its names."""
        return (
            ("changed", self.changed),
            ("missing", self.missing),
            ("added", self.added),
            ("unreadable", self.unreadable),
        )


def file_of(model: Path, name: str) -> Path:
    """Where a file of a model lies."""
    return model / name if model.is_dir() else model


def model_names(model: Path) -> dict[str, str]:
    """Name every part of a model; each with an empty text, or with why it cannot be used.

    Sub-folders and hidden files count like all others; the signature in a folder does not.

    Raises:
        UnusableFile: the model itself cannot be looked at.
    """
    try:
        mode = model.lstat().st_mode
        if stat.S_ISDIR(mode):
            return _find_faults(model)
    except OSError as error:
        raise UnusableFile(f"cannot be read ({error.strerror})") from None
    if fault := _fault_of(model.name, mode):
        raise UnusableFile(fault)
    return {model.name: ""}


def read_model_file(path: Path, max_bytes: int | None = None) -> bytes:
    """All bytes of a regular file, or the first ``max_bytes``.

    Raises:
        UnusableFile: it is none, or cannot be read.
    """
    try:
        with open(_open_file(path), "rb") as handle:
            return handle.read(-1 if max_bytes is None else max_bytes)
    except OSError as error:
        raise UnusableFile(f"cannot be read ({error.strerror})") from None


def hash_model_file(model: Path, name: str) -> ModelFile:
    """Hash one file of a model without holding all of it.

    Raises:
        UnusableFile: it is no regular file, or cannot be read.
    """
    digest, size = sha256(), 0
    try:
        with open(_open_file(file_of(model, name)), "rb") as handle:
            while chunk := handle.read(_CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise UnusableFile(f"cannot be read ({error.strerror})") from None
    return ModelFile(name, digest.hexdigest(), size)


def manifest_digest(files: Mapping[str, str]) -> str:
    """One SHA-256 over the sorted names and hashes of a model folder.

    >>> manifest_digest({"b": "02", "a": "01"}) == manifest_digest({"a": "01", "b": "02"})
    True
    """
    return sha256(json.dumps(sorted(files.items())).encode()).hexdigest()


def differences(model: Path, hashes: Mapping[str, str]) -> Differences:
    """Compare what lies on disk with the names and hashes that were loaded.

    What was not loaded is named and not hashed, so that a large file costs nothing.
    """
    try:
        names = model_names(model)
    except UnusableFile:
        names = {}
    states = {name: _state(model, name, names.get(name), hash_) for name, hash_ in hashes.items()}
    states |= dict.fromkeys(names.keys() - hashes.keys(), "added")
    kinds: dict[str, list[str]] = {}
    for name in sorted(states):
        kinds.setdefault(states[name], []).append(name)
    return Differences(
        *(tuple(kinds.get(k, ())) for k in ("changed", "missing", "added", "unreadable"))
    )


def escape_name(name: str) -> str:
    r"""A file's name for people: whatever does not print, or is long, cannot spoil a text.

    >>> escape_name("weights.pt"), escape_name("a\nb")
    ('weights.pt', "'a\\nb'")
    """
    text = name if name.isprintable() else ascii(name)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _find_faults(folder: Path) -> dict[str, str]:
    names: dict[str, str] = {}
    for name, mode in _walk_folder(folder, ""):
        names[name] = _fault_of(name, mode)
        if len(names) > MAX_FILES:
            raise UnusableFile(f"holds more than {MAX_FILES} files")
    return names


def _walk_folder(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    """Names and modes of all that is no folder; links are not followed."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _walk_folder(Path(entry.path), f"{name}/")
            elif name != SIGNATURE_NAME:
                yield name, entry.stat(follow_symlinks=False).st_mode


def _fault_of(name: str, mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "is a symbolic link"
    if not stat.S_ISREG(mode):
        return "is no regular file"
    return "" if _is_utf8(name) else "has a name that is not UTF-8"


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _open_file(path: Path) -> int:
    """A descriptor of a regular file: what is opened is what is judged."""
    descriptor = os.open(path, _OPEN)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnusableFile("is no regular file")
    return descriptor


def _state(model: Path, name: str, fault: str | None, loaded_sha256: str) -> str:
    if fault is None:
        return "unreadable" if _is_there(model, name) else "missing"
    try:
        same = not fault and hash_model_file(model, name).sha256 == loaded_sha256
    except UnusableFile:
        return "unreadable"
    return "same" if same else "changed"


def _is_there(model: Path, name: str) -> bool:
    """Whether something is there after all, or cannot be told to be gone."""
    try:
        file_of(model, name).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True

"""Signs that a picture file is meant for something else than to be looked at.

Text and tables are searched for short marks too. Compressed pixels, films and profiles are as good
as random, and any short pattern turns up in them by chance: there only long marks count.
"""

import re
from collections.abc import Iterable

# Readers of documents look for their mark in the first kilobyte.
_HEAD_BYTES = 1_024
# Where readers of archives look for the end record, and what it is at least.
_ARCHIVE_END, _LARGE_ARCHIVE_LOCATOR = re.compile(rb"PK\x05\x06"), b"PK\x06\x07"
_ARCHIVE_REACH_BYTES, _ARCHIVE_END_BYTES, _ENTRY_BYTES = 66_000, 22, 46

_SCRIPT = re.compile(
    rb"<script|<\?php|javascript:|vbscript:|<svg[\s>]|<iframe|<html|<!doctype\s+html|<!entity|<jsp:"
    rb"|\bon(?:error|load)\s*=\s*['\"]|\$\{jndi:|^\s*#!\s*/(?:bin|usr)/"
    rb"|\b(?:eval|system|passthru|shell_exec|base64_decode)\s*\(\s*[$'\"]",
    re.IGNORECASE,
)
_SCRIPT_ANYWHERE = re.compile(rb"<(?:\?[pP][hH][pP]\s|[sS][cC][rR][iI][pP][tT][\s>])")
_ARCHIVE_OF_SCRIPTS = b"__HALT_COMPILER();"
_OTHER_FORMATS = re.compile(
    rb"%PDF-\d|PK\x03\x04|PK\x05\x06|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|__HALT_COMPILER\(\);"
    rb"|\x7fELF[\x01\x02][\x01\x02]\x01|MZ.{58,510}PE\0\0|This program cannot be run in DOS mode"
    rb"|\xca\xfe\xba\xbe\0\0\0|SQLite format 3\0|\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    re.DOTALL,
)


def marks_in(data: bytes) -> dict[str, dict[str, float]]:
    """Signs that a whole file gives without being taken apart, by code."""
    found: dict[str, dict[str, float]] = {}
    if is_polyglot(data, (), b""):
        found["polyglot"] = {}
    if has_script(data, ()):
        found["script_in_metadata"] = {}
    return found


def has_script(data: bytes, metadata: Iterable[bytes]) -> bool:
    """Whether program text stands in a file.

    Args:
        data: the whole file.
        metadata: its unpacked pieces, where shorter marks count as well.
    """
    found = any(_SCRIPT.search(blob) for blob in metadata)
    return found or _SCRIPT_ANYWHERE.search(data) is not None


def is_polyglot(data: bytes, metadata: Iterable[bytes], tail: bytes) -> bool:
    """Whether a file is an archive, a document or a program as well.

    Args:
        data: the whole file.
        metadata: its unpacked pieces.
        tail: what lies behind the picture.
    """
    if b"%PDF-" in data[:_HEAD_BYTES] or _ARCHIVE_OF_SCRIPTS in data or _ends_an_archive(data):
        return True
    return any(_OTHER_FORMATS.search(blob) for blob in (*metadata, tail))


def _ends_an_archive(data: bytes) -> bool:
    """Whether a ZIP reader would find an end record: any of them, since readers differ."""
    start = max(0, len(data) - _ARCHIVE_REACH_BYTES)
    return any(_is_end_record(data, found.start()) for found in _ARCHIVE_END.finditer(data, start))


def _is_end_record(data: bytes, place: int) -> bool:
    """Whether the numbers of an end record are possible, or stand in a larger record before it."""
    if data[place - 20 : place - 16] == _LARGE_ARCHIVE_LOCATOR:
        return True
    entries = int.from_bytes(data[place + 10 : place + 12], "little")
    directory = int.from_bytes(data[place + 12 : place + 16], "little")
    whole = place + _ARCHIVE_END_BYTES <= len(data)
    return whole and entries > 0 and _ENTRY_BYTES * entries <= directory <= place

"""Signs that a picture file is meant for something else than to be looked at.

Text and tables are searched for short marks too. Compressed pixels and films are as good as random,
and any short pattern turns up in them by chance: there only long marks count.

Every pattern is searched for in time that grows with the bytes alone: it begins with a fixed text,
and what may repeat in it cannot begin anew inside its own repetition. Each has its own search,
because the first bytes of a single pattern are skipped to, and those of alternatives are not.
"""

import re
from collections.abc import Iterable

# Readers of documents look for their mark in the first kilobyte.
_HEAD_BYTES = 1_024
# Where readers of archives look for the end record, and what it is at least.
_ARCHIVE_END, _LARGE_ARCHIVE_LOCATOR = re.compile(rb"PK\x05\x06"), b"PK\x06\x07"
_ARCHIVE_REACH_BYTES, _ARCHIVE_END_BYTES, _ENTRY_BYTES = 66_000, 22, 46

# On text in small letters.
_SCRIPTS = tuple(
    re.compile(pattern)
    for pattern in (
        rb"<(?:script|\?php|svg[\s>]|iframe|html|!doctype\s+html|!entity|jsp:)",
        rb"javascript:",
        rb"vbscript:",
        rb"\$\{jndi:",
        rb"onload(?<!\wonload)\s*=\s*['\"]",
        rb"onerror(?<!\wonerror)\s*=\s*['\"]",
        rb"eval(?<!\weval)\s*\(\s*[$'\"]",
        rb"system(?<!\wsystem)\s*\(\s*[$'\"]",
        rb"passthru(?<!\wpassthru)\s*\(\s*[$'\"]",
        rb"shell_exec(?<!\wshell_exec)\s*\(\s*[$'\"]",
        rb"base64_decode(?<!\wbase64_decode)\s*\(\s*[$'\"]",
        rb"@echo off\s",
    )
)
_FIRST_LINE = re.compile(rb"#!\s{0,16}/(?:bin|usr)/")
_SCRIPT_ANYWHERE = re.compile(rb"<(?:\?[pP][hH][pP]\s|[sS][cC][rR][iI][pP][tT][\s>])")
_FORMATS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (rb"%PDF-\d", rb"PK\x03\x04", rb"PK\x05\x06", rb"\x1bLua[QRST]")
)
_FORMATS_ANYWHERE = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rb"__HALT_COMPILER\(\);",
        rb"%PDF-[12]\.\d",
        rb"PK\x03\x04[\n-?]\0.{2}[\0\x08\x09\x0c\x0e]\0",
        rb"Rar!\x1a\x07",
        rb"7z\xbc\xaf\x27\x1c",
        rb"\xfd7zXZ\0",
        rb"BZh[1-9]1AY&SY",
        rb"MSCF\0\0\0\0",
        rb"ustar(?:\x0000|  \0)",
        rb"!<arch>\n",
        rb"\x7fELF[\x01\x02][\x01\x02]\x01",
        rb"This program cannot be run in DOS mode",
        rb"\xca\xfe\xba\xbe\0\0\0",
        rb"\xcf\xfa\xed\xfe[\x07\x0c]\0\0\x01",
        rb"\0asm\x01\0\0\0",
        rb"dex\n03\d\0",
        rb"SQLite format 3\0",
        rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        rb"L\0\0\0\x01\x14\x02\0",
    )
)
# Where a program for Windows says that it is one: so far behind its first two bytes.
_PROGRAM, _PROGRAM_START = b"PE\0\0", b"MZ"
_MIN_PROGRAM_HEAD_BYTES, _MAX_PROGRAM_HEAD_BYTES = 60, 512


# Packed files without a longer mark: gzip, zstd. They count where a tail begins.
_PACKED = (b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd")


def begins_packed(tail: bytes) -> bool:
    """Whether what lies behind a picture begins like a packed file."""
    return tail.startswith(_PACKED)


def marks_in(data: bytes) -> dict[str, dict[str, float]]:
    """Signs that a whole file gives without being taken apart, by code."""
    signs: dict[str, dict[str, float]] = {}
    if is_polyglot(data, ()):
        signs["polyglot"] = {}
    if has_script(data, ()):
        signs["script_in_metadata"] = {}
    return signs


def has_script(data: bytes, texts: Iterable[bytes]) -> bool:
    """Whether program text stands in a file.

    Args:
        data: the whole file.
        texts: its pieces that are no pixels, unpacked, where shorter marks count as well.
    """
    return _SCRIPT_ANYWHERE.search(data) is not None or any(map(_is_script, texts))


def is_polyglot(data: bytes, texts: Iterable[bytes]) -> bool:
    """Whether a file is an archive, a document or a program as well.

    Args:
        data: the whole file.
        texts: its pieces that are no pixels, unpacked, where shorter marks count as well.
    """
    if b"%PDF-" in data[:_HEAD_BYTES] or _ends_an_archive(data) or _is_other_file(data):
        return True
    return any(_matches(_FORMATS, text) or _is_other_file(text) for text in texts)


def _is_script(text: bytes) -> bool:
    return _matches(_SCRIPTS, text.lower()) or any(
        _begins_a_piece(text, match.start()) for match in _FIRST_LINE.finditer(text)
    )


def _begins_a_piece(text: bytes, place: int) -> bool:
    """Whether nothing that can be read stands before, or the head of a segment or a chunk does."""
    before = text[max(0, place - 20) : place]
    head = before[-4:]
    return (
        not before.strip()
        or not b" " <= before.rstrip()[-1:] <= b"~"
        or head[:1] == b"\xff"
        or (len(head) == 4 and head.isalpha())
    )


def _is_other_file(content: bytes) -> bool:
    return _matches(_FORMATS_ANYWHERE, content) or _has_program(content)


def _has_program(content: bytes) -> bool:
    """Whether both marks of a program stand as far from each other as they do there.

    What was ruled out is passed over: a file that is full of either mark takes a few steps.
    """
    place = 0
    while (start := content.find(_PROGRAM_START, place)) >= 0:
        mark = content.find(_PROGRAM, start + _MIN_PROGRAM_HEAD_BYTES)
        if mark < 0:
            return False
        reach = max(start, mark - _MAX_PROGRAM_HEAD_BYTES)
        last = mark - _MIN_PROGRAM_HEAD_BYTES
        if content.rfind(_PROGRAM_START, reach, last + len(_PROGRAM_START)) >= 0:
            return True
        place = last + 1
    return False


def _matches(patterns: Iterable[re.Pattern[bytes]], text: bytes) -> bool:
    return any(pattern.search(text) for pattern in patterns)


def _ends_an_archive(data: bytes) -> bool:
    """Whether a ZIP reader would find an end record: any of them, since readers differ."""
    start = max(0, len(data) - _ARCHIVE_REACH_BYTES)
    return any(_is_end_record(data, match.start()) for match in _ARCHIVE_END.finditer(data, start))


def _is_end_record(data: bytes, place: int) -> bool:
    """Whether the numbers of an end record are possible, or stand in a larger record before it."""
    if data[place - 20 : place - 16] == _LARGE_ARCHIVE_LOCATOR:
        return True
    entries = int.from_bytes(data[place + 10 : place + 12], "little")
    directory = int.from_bytes(data[place + 12 : place + 16], "little")
    whole = place + _ARCHIVE_END_BYTES <= len(data)
    return whole and entries > 0 and _ENTRY_BYTES * entries <= directory <= place

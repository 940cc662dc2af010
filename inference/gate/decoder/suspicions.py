"""Signs that a picture file is meant for something else than to be looked at.

Only text, metadata and what lies behind the picture are searched: compressed pixels are as good as
random, and any short pattern turns up in them by chance.
"""

import re
from collections.abc import Sequence

# The head of the file too: some readers look for their mark in the first kilobyte only.
_HEAD_BYTES = 1_024

_SCRIPT = re.compile(
    rb"<script|<\?php|<\?=|javascript:|vbscript:|<svg[\s>]|<iframe|<html|<!doctype|<!entity"
    rb"|\bon(?:error|load)\s*=|\b(?:eval|system|passthru|shell_exec|base64_decode)\s*\("
    rb"|^\s*#!\s*/|\$\{jndi:|<%@|<jsp:",
    re.IGNORECASE,
)
_OTHER_FORMATS = re.compile(
    rb"%PDF-\d|PK\x03\x04|PK\x05\x06|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|__HALT_COMPILER\(\);"
    rb"|\x7fELF[\x01\x02]|MZ.{58,510}PE\0\0|This program cannot be run in DOS mode"
    rb"|\xca\xfe\xba\xbe\0\0\0|SQLite format 3\0|\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    re.DOTALL,
)


def has_script(metadata: Sequence[bytes], tail: bytes) -> bool:
    """Whether program text stands where a picture has its words."""
    return any(_SCRIPT.search(blob) for blob in (*metadata, tail))


def is_polyglot(data: bytes, metadata: Sequence[bytes], tail: bytes) -> bool:
    """Whether the mark of an archive, document or program stands outside the pixels."""
    if b"%PDF-" in data[:_HEAD_BYTES]:
        return True
    return any(_OTHER_FORMATS.search(blob) for blob in (*metadata, tail))

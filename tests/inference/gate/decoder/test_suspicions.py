import re
import struct
import zipfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.gate.decoder.suspicions import has_script, is_polyglot

SCRIPTS = (
    b"<script>alert(1)</script>",
    b"<ScRiPt src=x>",
    b"<?php system($_GET[0]); ?>",
    b'<a href="javascript:x()">',
    b"<svg onload=x()>",
    b"<img src=x onerror = 'x()'>",
    b"eval('x')",
    b"system($_GET[0])",
    b'base64_decode ( "eA==")',
    b"shell_exec ('id')",
    b"${jndi:ldap://x/y}",
    b"<jsp:include page='x'/>",
    b"<!ENTITY x SYSTEM 'file:'>",
)
WORDS = (
    b"A person on a beach, evaluated by hand; the system passed.",
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF>once upon = a time</rdf:RDF></x:xmpmeta>",
    b"Exif\0\0II*\0\x08\0\0\0 SONY ILCE-7M3",
    b"a scripted photo: subscript; java script; php; #!hash in the middle / here",
    b"",
)
PROGRAM = b"MZ" + bytes(58) + struct.pack("<I", 128) + bytes(64) + b"PE\0\0"
FORMATS = (
    b"%PDF-1.7",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"Rar!\x1a\x07\x01\0",
    b"7z\xbc\xaf\x27\x1c",
    b"<?php __HALT_COMPILER(); ?>",
    b"\x7fELF\x02\x01\x01",
    PROGRAM,
    b"This program cannot be run in DOS mode",
    b"\xca\xfe\xba\xbe\0\0\0\x34",
    b"SQLite format 3\0",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_program_text_is_seen_in_any_metadata(script: bytes) -> None:
    assert has_script(b"", [b"a comment", b"\x01" + script])


@pytest.mark.parametrize("script", [b"<?php system('id')", b"<SCRIPT>", b"<script src=x>"])
def test_long_marks_are_seen_anywhere_in_the_file(script: bytes) -> None:
    assert has_script(b"\xff" * 9_999 + script + b"\xff\xd9", [])


@pytest.mark.parametrize("script", SCRIPTS[3:])
def test_marks_that_may_turn_up_by_chance_count_in_metadata_only(script: bytes) -> None:
    assert not has_script(b"\x01" + script, [b"a comment"])


def test_the_first_line_of_a_program_is_seen_at_the_start_of_a_piece_only() -> None:
    assert has_script(b"", [b"a comment", b"\n#!/bin/sh\n"])
    assert has_script(b"", [b"#! /usr/bin/env python"])
    assert not has_script(b"", [b"see #!/bin/sh"])


@pytest.mark.parametrize("words", WORDS)
def test_ordinary_words_are_neither_a_script_nor_another_file(words: bytes) -> None:
    assert not has_script(words, [words])
    assert not is_polyglot(words, [words])


@pytest.mark.parametrize("mark", FORMATS)
def test_marks_of_other_files_are_seen_in_any_metadata_and_behind_the_picture(mark: bytes) -> None:
    assert is_polyglot(b"", [b"a comment", b"\x01" + mark])


def test_a_document_may_begin_anywhere_in_the_first_kilobyte() -> None:
    assert is_polyglot(bytes(1_019) + b"%PDF-", [])
    assert not is_polyglot(bytes(1_020) + b"%PDF-", [])


def test_an_archive_of_scripts_is_seen_anywhere() -> None:
    assert is_polyglot(b"\xff" * 9_999 + b"__HALT_COMPILER();" + b"\xff" * 99_999, [])


def _end_record(entries: int, directory: int, comment: bytes = b"") -> bytes:
    counts = struct.pack("<HHHHII", 0, 0, entries, entries, directory, 0)
    return b"PK\x05\x06" + counts + struct.pack("<H", len(comment)) + comment


@pytest.mark.parametrize("before", [b"", b"pixels", b"\xff" * 200_000])
@pytest.mark.parametrize("comment", [0, 2, 60_000])
def test_an_archive_is_seen_by_its_end(archive: bytes, before: bytes, comment: int) -> None:
    data = before + archive[:-2] + struct.pack("<H", comment) + bytes(comment)
    assert zipfile.is_zipfile(BytesIO(data))
    assert is_polyglot(data, [])


def test_an_end_record_counts_near_the_end_of_the_file_only(archive: bytes) -> None:
    end = archive.replace(b"PK\x03\x04", b"PK\x03\x05")
    length = len(end) - end.index(b"PK\x05\x06")
    assert is_polyglot(end + bytes(66_000 - length), [])
    assert not is_polyglot(end + bytes(66_001 - length), [])


@pytest.mark.parametrize(
    ("entries", "directory", "is_one"),
    [
        (1, 46, True),
        (1, 100, True),
        (2, 100, True),
        (0, 46, False),
        (1, 45, False),
        (2, 91, False),
        (1, 101, False),
        (0xFFFF, 100, False),
    ],
)
def test_four_bytes_that_turn_up_by_chance_are_no_end_record(
    entries: int, directory: int, is_one: bool
) -> None:
    data = bytes(100) + _end_record(entries, directory)
    assert is_polyglot(data, []) is is_one
    assert not is_polyglot(data[:-1], [])


@given(st.lists(st.binary(max_size=50), max_size=3), st.binary(max_size=50))
def test_more_metadata_never_hide_what_one_says(blobs: list[bytes], tail: bytes) -> None:
    assert has_script(tail, [*blobs, SCRIPTS[3], *blobs])
    assert is_polyglot(b"", [*blobs, FORMATS[0], *blobs])


_PIECES = st.one_of(st.sampled_from([b"MZ", b"PE\0\0", b"M", b"Z"]), st.integers(0, 600).map(bytes))


@given(st.lists(_PIECES, max_size=12).map(b"".join))
def test_a_program_is_seen_if_its_marks_are_as_far_apart_as_in_one(content: bytes) -> None:
    is_program = re.search(rb"MZ.{58,510}PE\0\0", content, re.DOTALL) is not None
    assert is_polyglot(content, ()) == is_program

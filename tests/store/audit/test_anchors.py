"""Anchors: lines that prove which row was the newest one."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.audit.anchors import (
    Anchor,
    AnchorCheck,
    AnchorsUnusable,
    anchors_in,
    last_anchor,
    read_anchors,
)
from store.audit.hash_chain import GENESIS, Link, Wrong

_HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)


def _chain(length: int, subject: str = "s") -> list[Link]:
    links, previous = list[Link](), GENESIS
    for number in range(1, length + 1):
        link = Link(number, "t", "a", "x", subject, "{}", previous, "")
        previous = link.hash_as(number)
        links.append(replace(link, own_hash=previous))
    return links


def _wrong(links: Sequence[Link], anchors: Sequence[Anchor]) -> list[tuple[int, Wrong]]:
    check = AnchorCheck(anchors)
    faults = [fault for link in links for fault in check.follow(link)]
    return [(fault.sequence, fault.wrong) for fault in (*faults, *check.end())]


@given(cut=st.integers(0, 20), anchored=st.sets(st.integers(1, 20), min_size=1))
def test_exactly_the_anchored_rows_behind_a_cut_are_missed(cut: int, anchored: set[int]) -> None:
    links = _chain(20)
    anchors = [Anchor(number, links[number - 1].own_hash) for number in anchored]
    expected = [(number, Wrong.CUT) for number in sorted(anchored) if number > cut]
    assert _wrong(links[:cut], anchors) == expected


def test_an_end_that_was_written_anew_is_named() -> None:
    before, after = _chain(9), _chain(9, "other")
    anchors = [Anchor(link.sequence, link.own_hash) for link in before[4:6]]
    assert _wrong(after, anchors) == [(5, Wrong.UNLINKED), (6, Wrong.UNLINKED)]
    assert _wrong(before, anchors) == []


def test_two_anchors_of_one_row_that_differ_cannot_both_hold() -> None:
    links = _chain(3)
    both = [Anchor(2, links[1].own_hash), Anchor(2, "0" * 64)]
    assert _wrong(links, both) == [(2, Wrong.UNLINKED)]


@given(sequence=st.integers(1, 10**18 - 1), own_hash=_HASHES, around=st.text(max_size=30))
def test_a_line_is_found_again_whatever_a_log_puts_around_it(
    sequence: int, own_hash: str, around: str
) -> None:
    anchor = Anchor(sequence, own_hash)
    line = anchor.to_line(datetime.fromisoformat("2026-03-02T12:00:00+00:00"), "parser-1")
    assert list(anchors_in(f"{around}<86>maskwatch: {line}\n{around}")) == [anchor]


def test_a_line_that_was_cut_short_is_none(tmp_path: Path, now: datetime) -> None:
    file = tmp_path / "anchors"
    line = Anchor(7, "f" * 64).to_line(now, "one")
    for length in range(len("maskwatch audit anchor: row 7 ") + 64):
        assert list(anchors_in(line[:length] + Anchor(8, "a" * 64).to_line(now, "one"))) == [
            Anchor(8, "a" * 64)
        ]
    file.write_text(f"{line}\n{line[:50]}")
    assert last_anchor(file) == Anchor(7, "f" * 64)


def test_the_newest_anchor_of_a_long_file_is_found_by_its_end(
    tmp_path: Path, now: datetime
) -> None:
    file = tmp_path / "anchors"
    file.write_text("")
    assert last_anchor(file) is None
    lines = (Anchor(number, f"{number:064x}").to_line(now, "one") for number in range(1, 500))
    file.write_text("\n".join(lines) + "\n")
    assert last_anchor(file) == Anchor(499, f"{499:064x}")
    assert len(read_anchors(file)) == 499


def test_a_file_that_proves_nothing_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("nothing of that kind\n")
    with pytest.raises(AnchorsUnusable, match="There is no anchor in"):
        read_anchors(empty)
    for reader in (read_anchors, last_anchor):
        with pytest.raises(AnchorsUnusable, match="make it once with `touch`"):
            reader(tmp_path / "missing")


def test_a_place_that_keeps_nothing_is_refused_at_once(tmp_path: Path) -> None:
    pipe, link, folder = tmp_path / "pipe", tmp_path / "link", tmp_path / "folder"
    os.mkfifo(pipe)
    link.symlink_to("/dev/null")
    folder.mkdir()
    for place in (pipe, link, folder, Path("/dev/zero")):
        for reader in (read_anchors, last_anchor):
            with pytest.raises(AnchorsUnusable, match="no file that keeps anchors"):
                reader(place)


def test_a_link_to_a_file_of_another_disk_is_followed(tmp_path: Path, now: datetime) -> None:
    file, link = tmp_path / "anchors", tmp_path / "link"
    file.write_text(Anchor(7, "f" * 64).to_line(now, "one"))
    link.symlink_to(file)
    assert last_anchor(link) == Anchor(7, "f" * 64)

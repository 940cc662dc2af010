"""The chain as a pure thing: whatever is done to its rows is named."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.audit.hash_chain import (
    GENESIS,
    ChainCheck,
    Fault,
    Link,
    Wrong,
    text_of_details,
    text_of_time,
)

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_CONTENTS = st.tuples(_TEXT, _TEXT, _TEXT, _TEXT, _TEXT)
_CHAINS = st.lists(_CONTENTS, min_size=1, max_size=12)


def _chained(contents: Sequence[tuple[str, str, str, str, str]]) -> list[Link]:
    links: list[Link] = []
    previous = GENESIS
    for sequence, each in enumerate(contents, 1):
        link = Link(sequence, *each, previous_hash=previous, own_hash="")
        previous = link.hash_as(sequence)
        links.append(replace(link, own_hash=previous))
    return links


def _plain(rows: int) -> list[Link]:
    return _chained(
        [(f"t{n}", "cli:ada", "key_made", f"key {n}", "{}") for n in range(1, rows + 1)]
    )


def _faults(links: Sequence[Link]) -> list[Fault]:
    check = ChainCheck()
    return [fault for link in links for fault in check.follow(link)]


def _named(links: Sequence[Link]) -> list[tuple[int, Wrong]]:
    return [(fault.sequence, fault.wrong) for fault in _faults(links)]


@given(_CHAINS)
def test_a_chain_that_nobody_touched_is_sound(
    contents: list[tuple[str, str, str, str, str]],
) -> None:
    links = _chained(contents)
    check = ChainCheck()
    assert [fault for link in links for fault in check.follow(link)] == []
    assert (check.rows, check.head) == (len(links), links[-1].own_hash)


@given(_CHAINS, st.data())
def test_a_changed_field_is_named_by_its_row(
    contents: list[tuple[str, str, str, str, str]], data: st.DataObject
) -> None:
    links = _chained(contents)
    place = data.draw(st.integers(0, len(links) - 1))
    name = data.draw(st.sampled_from(["at", "actor", "action", "subject", "details", "own_hash"]))
    other = data.draw(_TEXT.filter(lambda text: text != getattr(links[place], name)))
    links[place] = replace(links[place], **{name: other})  # type: ignore[arg-type]
    assert _named(links) == [(place + 1, Wrong.CHANGED)]


@given(_CHAINS, st.data())
def test_a_row_that_is_written_anew_with_its_hash_breaks_off_from_the_next(
    contents: list[tuple[str, str, str, str, str]], data: st.DataObject
) -> None:
    links = _chained([*contents, ("", "", "", "", "")])
    place = data.draw(st.integers(0, len(links) - 2))
    other = replace(links[place], actor=links[place].actor + "!")
    links[place] = replace(other, own_hash=other.hash_as(place + 1))
    assert _named(links) == [(place + 2, Wrong.UNLINKED)]


@given(_CHAINS, st.data())
def test_missing_rows_before_the_last_one_are_named(
    contents: list[tuple[str, str, str, str, str]], data: st.DataObject
) -> None:
    links = _chained([*contents, ("", "", "", "", "")])
    first = data.draw(st.integers(0, len(links) - 2))
    last = data.draw(st.integers(first, len(links) - 2))
    faults = _faults(links[:first] + links[last + 1 :])
    assert [(fault.sequence, fault.wrong) for fault in faults] == [(first + 1, Wrong.MISSING)]
    assert (f"to {last + 1} are" in faults[0].sentence) is (last > first)


@given(_CHAINS, st.data())
def test_two_rows_that_changed_places_are_both_named(
    contents: list[tuple[str, str, str, str, str]], data: st.DataObject
) -> None:
    links = _chained([*contents, ("", "", "", "", "")])
    one = data.draw(st.integers(0, len(links) - 2))
    other = data.draw(st.integers(one + 1, len(links) - 1))
    links[one], links[other] = (
        replace(links[other], sequence=one + 1),
        replace(links[one], sequence=other + 1),
    )
    faults = _faults(links)
    assert [(fault.sequence, fault.wrong) for fault in faults] == [
        (one + 1, Wrong.MOVED),
        (other + 1, Wrong.MOVED),
    ]
    assert f"it was written as row {other + 1}." in faults[0].sentence


def test_rows_that_moved_up_to_hide_a_missing_one_are_named() -> None:
    links = _plain(5)
    moved = [replace(link, sequence=link.sequence - 1) for link in links[2:]]
    assert _named([links[0], *moved]) == [(number, Wrong.MOVED) for number in (2, 3, 4)]


def test_a_row_before_the_first_one_is_foreign() -> None:
    links = _plain(2)
    assert _named([replace(links[1], sequence=0), *links]) == [(0, Wrong.FOREIGN)]


def test_bytes_and_half_characters_are_changes_and_no_crash() -> None:
    links = _plain(3)
    odd: list[Any] = [b"\xff", "\ud800", None]
    links = [replace(link, actor=actor) for link, actor in zip(links, odd, strict=True)]
    assert _named(links) == [(number, Wrong.CHANGED) for number in (1, 2, 3)]


def test_a_missing_end_shows_only_in_a_head_that_was_kept_elsewhere() -> None:
    links = _plain(5)
    for kept, met in ((5, True), (4, False), (3, False)):
        check = ChainCheck(links[4].own_hash)
        assert [fault for link in links[:kept] for fault in check.follow(link)] == []
        assert check.is_head_met is met


def test_a_hash_can_be_made_without_maskwatch() -> None:
    link = _chained([("2026-03-02", 'analyst:"zoë"\n', "decision_made", "decision 1", '{"a":1}')])[
        0
    ]
    row = [1, link.at, link.actor, link.action, link.subject, link.details, "0" * 64]
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    assert text.startswith('[1,"2026-03-02","analyst:\\"zoë\\"\\n","decision_made",')
    assert link.own_hash == sha256(text.encode()).hexdigest()


def test_times_have_one_form_so_that_texts_sort_as_times_do() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    elsewhere = noon.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert text_of_time(noon) == text_of_time(elsewhere) == "2026-03-02T12:00:00.000000+00:00"
    assert text_of_time(noon) < text_of_time(noon + timedelta(microseconds=1))


def test_details_that_json_cannot_hold_are_refused() -> None:
    assert text_of_details({"b": [1.5, None], "a": "ü"}) == '{"a":"ü","b":[1.5,null]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        text_of_details({"a": float("nan")})

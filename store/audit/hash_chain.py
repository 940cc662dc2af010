"""The hash chain of the audit table: how a row is hashed, and what is wrong with a row. Pure.

The hash of a row is the SHA-256, in lower-case hex, of this JSON array in UTF-8:

    [sequence, at, actor, action, subject, details, previous_hash]

``sequence`` is a number, everything else is a string, taken as it stands in the table; so
``details``, which is JSON itself, is a string in it. There is no white space between the elements,
and characters are escaped only where JSON demands it: the form of RFC 8785. ``previous_hash`` is
the hash of the row before, and 64 zeros in the first row, which has the sequence number 1. In
Python::

    row = [sequence, at, actor, action, subject, details, previous_hash]
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    sha256(text.encode()).hexdigest()
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

GENESIS = "0" * 64
"""What the first row has for the hash of the row before."""

# How far, and for how many rows, a row that does not fit is looked for at other places.
_REACH, _MAX_SEARCHES = 2_000, 50


class Wrong(StrEnum):
    """What can be wrong with rows."""

    CHANGED = "changed"
    MISSING = "missing"
    MOVED = "moved"
    UNLINKED = "unlinked"
    FOREIGN = "foreign"
    CUT = "cut"


@dataclass(frozen=True)
class Fault:
    """Something wrong with the chain.

    Attributes:
        sequence: of the row; of the first one if several are missing.
    """

    sequence: int
    wrong: Wrong
    sentence: str


@dataclass(frozen=True)
class Link:
    """One row of the chain, every field as it is stored."""

    sequence: int
    at: str
    actor: str
    action: str
    subject: str
    details: str
    previous_hash: str
    own_hash: str

    def fits(self) -> bool:
        """Whether the row has the hash that its contents ask for."""
        return self.hash_as(self.sequence) == self.own_hash

    def hash_as(self, sequence: int) -> str:
        """The hash of these contents at some place; empty if no text can be made of them."""
        text = (self.at, self.actor, self.action, self.subject, self.details, self.previous_hash)
        try:
            return hash_of([sequence, *text])
        except (TypeError, ValueError):
            return ""  # whoever changed the row left bytes or half a character there


def hash_of(row: list[int | str]) -> str:
    """The hash of ``[sequence, at, actor, action, subject, details, previous_hash]``.

    >>> hash_of([1, "2026-03-02T12:00:00.000000+00:00", "cli:ada", "a", "b", "{}", GENESIS])[:16]
    'dae08a1dfec601ce'
    """
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def text_of_time(at: datetime) -> str:
    """A time as rows carry it: ISO 8601, UTC, always with microseconds, so that texts sort.

    >>> text_of_time(datetime(2026, 3, 2, 12, tzinfo=UTC))
    '2026-03-02T12:00:00.000000+00:00'
    """
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def text_of_details(details: Mapping[str, object]) -> str:
    """Details as rows carry them: JSON with sorted names.

    >>> text_of_details({"b": 1, "a": ["ü"]})
    '{"a":["ü"],"b":1}'

    Raises:
        ValueError: a number is not finite.
        TypeError: a value is nothing that JSON knows.
    """
    return json.dumps(
        dict(details), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )


class ChainCheck:
    """Follows the chain row by row, in the order of sequence numbers; keeps one row's hash.

    Attributes:
        rows: how many rows it has seen.
        head: hash of the last one.
        met: whether one of them had the expected hash.
    """

    def __init__(self, expected: str = GENESIS) -> None:
        """Begin before the first row.

        Args:
            expected: a head that was printed earlier.
        """
        self.rows = 0
        self.head = GENESIS
        self.is_head_met = expected == GENESIS
        self._expected_head = expected
        self._last = 0
        self._sound = True
        self._searches = 0

    def follow(self, link: Link) -> tuple[Fault, ...]:
        """What is wrong with the next row, and with the place before it."""
        faults = tuple(each for each in (self._gap(link), self._own(link)) if each is not None)
        self.rows += 1
        self.head = link.own_hash
        self.is_head_met = self.is_head_met or link.own_hash == self._expected_head
        self._last = max(self._last, link.sequence)
        self._sound = all(fault.wrong is Wrong.MISSING for fault in faults)
        return faults

    def _gap(self, link: Link) -> Fault | None:
        first, last = self._last + 1, link.sequence - 1
        if last < first:
            return None
        rows = f"Row {first} is" if first == last else f"Rows {first} to {last} are"
        return Fault(first, Wrong.MISSING, f"{rows} missing.")

    def _own(self, link: Link) -> Fault | None:
        number = link.sequence
        if number <= self._last:
            return Fault(number, Wrong.FOREIGN, f"Row {number} is none that Maskwatch wrote.")
        if not link.fits():
            return self._unfit(link)
        # A row after a gap, or after one that is named already, cannot be held against it.
        follows = number == self._last + 1 and self._sound
        if follows and link.previous_hash != self.head:
            before = f"row {self._last}" if self._last else "the beginning"
            sentence = f"Row {number} does not follow {before}: one of them was written anew."
            return Fault(number, Wrong.UNLINKED, sentence)
        return None

    def _unfit(self, link: Link) -> Fault:
        number = link.sequence
        place = self._find_sequence(link)
        if place is None:
            sentence = f"Row {number} was changed: its contents do not have its hash."
            return Fault(number, Wrong.CHANGED, sentence)
        sentence = f"Row {number} is out of its place: it was written as row {place}."
        return Fault(number, Wrong.MOVED, sentence)

    def _find_sequence(self, link: Link) -> int | None:
        self._searches += 1
        if self._searches > _MAX_SEARCHES:
            return None
        near = range(max(1, link.sequence - _REACH), link.sequence + _REACH + 1)
        return next((place for place in near if link.hash_as(place) == link.own_hash), None)

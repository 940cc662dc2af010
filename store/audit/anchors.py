"""Anchors: heads of the audit chain that are kept where whoever may change it may not.

The chain itself cannot tell that its end is gone. An anchor is a line of text with the number and
the hash of the row that was the newest one: a row that was anchored must be there for ever.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from stat import S_ISREG

from detectors.errors import MaskwatchError
from store.audit.hash_chain import Fault, Link, Wrong, text_of_time

_LINE = re.compile(r"maskwatch audit anchor: row ([0-9]{1,18}) ([0-9a-f]{64})\b")
_TAIL_BYTES = 4096


class AnchorsUnusable(MaskwatchError):
    """A file of anchors that cannot be read, or has none."""


@dataclass(frozen=True)
class Anchor:
    """The newest row of the chain at some time."""

    sequence: int
    own_hash: str

    def to_line(self, at: datetime, host: str) -> str:
        """One line for a file or a log, without its end.

        >>> from datetime import UTC
        >>> Anchor(3, "0" * 64).to_line(datetime(2026, 3, 2, tzinfo=UTC), "one")[:48]
        'maskwatch audit anchor: row 3 000000000000000000'
        """
        place = f"row {self.sequence} {self.own_hash}"
        return f"maskwatch audit anchor: {place} at {text_of_time(at)} on {host}"


class AnchorCheck:
    """Holds the rows of the chain against anchors, in the order of sequence numbers."""

    def __init__(self, anchors: Iterable[Anchor]) -> None:
        self._hashes = dict[int, set[str]]()
        for anchor in anchors:
            self._hashes.setdefault(anchor.sequence, set()).add(anchor.own_hash)

    def follow(self, link: Link) -> Iterator[Fault]:
        """What is wrong with a row that was anchored."""
        hashes = self._hashes.pop(link.sequence, None)
        if hashes is not None and hashes != {link.own_hash}:
            sentence = f"Row {link.sequence} is not the one that was anchored: it was written anew."
            yield Fault(link.sequence, Wrong.UNLINKED, sentence)

    def end(self) -> Iterator[Fault]:
        """The anchored rows that did not come."""
        for sequence in sorted(self._hashes):
            sentence = f"Row {sequence} was anchored and is gone: the chain was cut off before it."
            yield Fault(sequence, Wrong.CUT, sentence)


def anchors_in(text: str) -> Iterator[Anchor]:
    """Every anchor of a text, whatever stands around it: a file, a system's log, a mail."""
    for match in _LINE.finditer(text):
        yield Anchor(int(match[1]), match[2])


def read_anchors(file: Path) -> tuple[Anchor, ...]:
    """Every anchor of a file, each once.

    Raises:
        AnchorsUnusable: it cannot be read, or has none: then nothing would have been compared.
    """
    _check_regular(file)
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            anchors = dict.fromkeys(anchor for line in lines for anchor in anchors_in(line))
    except OSError as error:
        raise _unreadable(file, error) from error
    if not anchors:
        raise AnchorsUnusable(
            f"There is no anchor in {file}: name the file of MASKWATCH_AUDIT_ANCHOR_FILE, or the "
            "system log's lines with `maskwatch audit anchor`."
        )
    return tuple(anchors)


def last_anchor(file: Path) -> Anchor | None:
    """The newest anchor of a file; ``None`` if it has none yet.

    Raises:
        AnchorsUnusable: it cannot be read.
    """
    _check_regular(file)
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, file.stat().st_size - _TAIL_BYTES))
            text = opened.read().decode(errors="replace")
    except OSError as error:
        raise _unreadable(file, error) from error
    return max(anchors_in(text), key=lambda anchor: anchor.sequence, default=None)


def _check_regular(file: Path) -> None:
    """See that a file keeps what is written to it: devices take all and have nothing, pipes wait.

    Raises:
        AnchorsUnusable: it does not, or is not there.
    """
    try:
        mode = file.stat().st_mode
    except OSError as error:
        raise _unreadable(file, error) from error
    if not S_ISREG(mode):
        raise AnchorsUnusable(
            f"{file} is no file that keeps anchors, but a device, a pipe or a folder: name another "
            "one in MASKWATCH_AUDIT_ANCHOR_FILE."
        )


def _unreadable(file: Path, error: OSError) -> AnchorsUnusable:
    return AnchorsUnusable(
        f"The file of anchors {file} cannot be read ({error.strerror}): is its disk mounted? "
        "Maskwatch does not make it: make it once with `touch`."
    )

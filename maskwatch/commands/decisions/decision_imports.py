"""``maskwatch decisions import``: the list of another product, or an export of our own."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import TypeVar

from detectors.errors import MaskwatchError
from maskwatch.commands.printable import escape_unprintable
from store.audit.actors import operator
from store.audit.reasons import MAX_REASON_LENGTH, ReasonError
from store.configuration.network_groups import Network
from store.decisions.by_hand import decision_by_hand, warn_of_block
from store.decisions.decisions import (
    BY_IMPORT,
    DecisionError,
    NewDecision,
    active_decisions,
    replace_decision,
)
from store.decisions.scopes import Kind, Scope
from store.engine.existing import existing_database
from store.phrases import phrase_count
from store.settings import ReportSettings
from store.tables.work_tables import DecisionRow

Choice = TypeVar("Choice")
_MAX_BYTES = 64_000_000
_MAX_NAMED = 20
# What would last longer by less than this share holds already.
_NO_LONGER = 0.1
_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9}(?:\.\d{1,9})?)s)?")
# As CrowdSec calls them, in whatever case, and as Maskwatch does.
_SCOPES = {"ip": Scope.CLIENT, "range": Scope.NETWORK, **{scope.value: scope for scope in Scope}}
_KINDS = {"ban": Kind.BLOCK, **{kind.value: kind for kind in Kind}}


# As JSON and as CSV say it.
_TRUE = (True, "true", "True")


class BadImport(MaskwatchError):
    """A list that cannot be taken."""


@dataclass(frozen=True)
class BrokenLine:
    """An entry that cannot be taken, and why."""

    number: int
    why: str


@dataclass(frozen=True)
class ReadList:
    """The entries of a file."""

    decisions: Sequence[NewDecision]
    broken: Sequence[BrokenLine]


def import_decisions(
    settings: ReportSettings, path: Path, reason: str, now: datetime, *, skip_broken: bool
) -> str:
    """Take a list in one transaction, all of it or nothing; says how many decisions that made.

    Args:
        reason: for entries that give none.
        skip_broken: take the others when some entries are broken.

    Raises:
        BadImport: the file cannot be read, or entries are broken; each is named.
        MaskwatchError: the database cannot be used.
    """
    entries = _read_entries(path)
    read = read_list(entries, reason, settings.proxies.trusted_proxies, now)
    if read.broken and not skip_broken:
        raise BadImport(
            f"Nothing is taken: {describe_broken(read.broken)} "
            "Mend the file, or take the rest with --skip-broken."
        )
    made = _save(settings, read.decisions, now)
    known = len(read.decisions) - made
    left_out = f" Left out: {describe_broken(read.broken)}" if read.broken else ""
    return f"Took {phrase_count(made, 'decision')}; {known} held already.{left_out}"


def read_list(
    entries: Iterable[tuple[int, Mapping[str, object]]],
    reason: str,
    trusted: Sequence[Network],
    now: datetime,
) -> ReadList:
    """Decisions of numbered entries."""
    decisions, broken = list[NewDecision](), list[BrokenLine]()
    for number, entry in entries:
        try:
            decisions.append(_read_entry(entry, reason, trusted, now))
        except (DecisionError, ReasonError, ValueError, OverflowError) as error:
            broken.append(BrokenLine(number, str(error)))
    return ReadList(decisions, broken)


def describe_broken(broken: Sequence[BrokenLine]) -> str:
    """Each broken entry by its number, up to some."""
    named = [f"entry {line.number}: {line.why}" for line in broken[:_MAX_NAMED]]
    more = len(broken) - len(named)
    return " ".join([*named, *([f"And {more} more."] if more else [])])


def _save(settings: ReportSettings, decisions: Iterable[NewDecision], now: datetime) -> int:
    made = 0
    with existing_database(settings) as database, database.write() as session:
        for new in _keep_longest(decisions):
            known = active_decisions(session, now, *new.subject, new.kind)
            if not any(_covers(row, new, now) for row in known):
                replace_decision(session, [row for row in known if _gives_way(row, new)], new, now)
                made += 1
    return made


def _keep_longest(decisions: Iterable[NewDecision]) -> Iterable[NewDecision]:
    """Lists name an address once for each scenario: of those on one subject the longest counts."""
    longest: dict[tuple[object, ...], NewDecision] = {}
    for new in decisions:
        subject = (new.kind, *new.subject, new.simulated)
        longest[subject] = max(longest.get(subject, new), new, key=lambda each: each.until)
    return longest.values()


def _covers(row: DecisionRow, new: NewDecision, now: datetime) -> bool:
    """A list of durations ends later each time that it is read: that alone makes nothing new."""
    is_as_long = row.until >= new.until - (new.until - now) * _NO_LONGER
    return is_as_long and (new.simulated or not row.simulated)


def _gives_way(row: DecisionRow, new: NewDecision) -> bool:
    """What people or jobs decided here stays beside what is imported."""
    is_shorter = row.until < new.until
    return is_shorter and row.origin == BY_IMPORT and row.simulated == new.simulated


def _read_entries(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    text = _read_text(path)
    if text.lstrip().startswith(("[", "{")):
        return _read_json(text)
    return _read_csv(text)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise BadImport(f"{path} is too large: at most {_MAX_BYTES} bytes are read.")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise BadImport(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadImport(f"{path} is no text in UTF-8.") from None


def _read_json(text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    """A list of objects, or the answer of ``/v1/decisions/stream``."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadImport(f"The file begins like JSON and is none: {error}.") from None
    if isinstance(document, dict) and "new" in document:
        document = document["new"] or []
    if not isinstance(document, list):
        raise BadImport("The file is JSON and has neither a list of entries nor one named new.")
    for number, entry in enumerate(document, 1):
        yield number, entry if isinstance(entry, dict) else {}


def _read_csv(text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    reader = csv.DictReader(StringIO(text, newline=None), skipinitialspace=True)
    if "value" not in (reader.fieldnames or ()):
        raise BadImport(
            "The file is neither JSON nor CSV with a first line that names its columns, such as "
            "duration,scope,value."
        )
    try:
        for row in reader:
            yield reader.line_num, {name: value for name, value in row.items() if value}
    except csv.Error as error:
        raise BadImport(f"Line {reader.line_num} of the file is no CSV: {error}.") from None


def _read_entry(
    entry: Mapping[str, object], reason: str, trusted: Sequence[Network], now: datetime
) -> NewDecision:
    kind = _choose(_KINDS, entry, ("type", "kind"), "ban")
    scope = _choose(_SCOPES, entry, ("scope",), "ip")
    value = entry.get("value")
    if not isinstance(value, str):
        raise DecisionError("It has no value.")
    until = _read_end(entry, now)
    new = decision_by_hand(
        kind=kind,
        scope=scope,
        value=value,
        minutes=1,
        reason=str(entry.get("reason") or entry.get("scenario") or reason)[:MAX_REASON_LENGTH],
        who=operator(),
        simulated=entry.get("simulated") in _TRUE,
        now=now,
    )
    evidence = {"imported_origin": escape_unprintable(str(entry.get("origin") or "unknown")[:80])}
    warning = warn_of_block(new, trusted)
    if warning is not None:
        raise DecisionError(warning.partition(": ")[0] + ".")
    return replace(new, scenario="imported", origin=BY_IMPORT, until=until, evidence=evidence)


def _choose(
    choices: Mapping[str, Choice], entry: Mapping[str, object], names: Sequence[str], default: str
) -> Choice:
    given = next((entry[name] for name in names if entry.get(name)), default)
    choice = choices.get(str(given).lower())
    if choice is None:
        raise DecisionError(
            f"The {names[0]} {str(given)[:40]!r} is not one of {', '.join(choices)}."
        )
    return choice


def _read_end(entry: Mapping[str, object], now: datetime) -> datetime:
    if isinstance(until := entry.get("until"), str):
        end = datetime.fromisoformat(until)
        end = end if end.tzinfo else end.replace(tzinfo=now.tzinfo)
    else:
        end = now + read_duration(str(entry.get("duration") or "4h"))
    if end <= now:
        raise DecisionError("It is over.")
    return end.astimezone(now.tzinfo)


def read_duration(text: str) -> timedelta:
    """A stretch of time as Go writes it.

    >>> read_duration("1h30m0.5s")
    datetime.timedelta(seconds=5400, microseconds=500000)

    Raises:
        DecisionError: it is none, or is over.
    """
    parts = _DURATION.fullmatch(text.strip())
    if not text.strip() or parts is None:
        raise DecisionError(
            f"The duration {text[:40]!r} is none that lies ahead, such as 4h or 30m."
        )
    hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)

"""Read models of the overview: clients by evidence against them, and who was turned away."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from detectors.evidence.kinds import WEIGHTS, EvidenceKind, codes_of
from store.counts.periods import Period
from store.counts.turned_away import count_turned_away
from store.decisions.clients.chances import read_chances
from store.decisions.clients.client_decisions import decisions_on_client
from store.decisions.clients.client_evidence import Suspect
from store.decisions.clients.suspects import find_suspects
from store.decisions.scopes import Kind
from store.pages.overview import ReasonCount

# Some of those with most evidence lose it when chance is left out.
_LOOKED_AT = 10


@dataclass(frozen=True)
class WorstClient:
    """A client and the evidence against it that chance cannot explain.

    Attributes:
        counts: different files by kind of evidence, the heaviest kind first; of a flood, requests.
        uploads: different files of any kind.
        is_blocked: whether a block holds now, ``None`` if only a simulated one does.
    """

    client: str
    weight: float
    counts: Mapping[EvidenceKind, int]
    uploads: int
    is_blocked: bool | None


def worst_clients(
    session: Session, period: Period, now: datetime, most: int
) -> tuple[WorstClient, ...]:
    """Clients by the evidence of a period, the worst first; none whom nothing speaks against."""
    chances = read_chances(session, WEIGHTS[EvidenceKind.OUTLIER].chance)
    least = min(weight.weight for weight in WEIGHTS.values())
    suspects = find_suspects(session, period.since, least, chances, most * _LOOKED_AT)
    return tuple(_standing(session, suspect, now) for suspect in suspects[:most])


def _standing(session: Session, suspect: Suspect, now: datetime) -> WorstClient:
    client = suspect.evidence.client
    blocks = decisions_on_client(session, now, client, Kind.BLOCK)
    is_enforced = any(not block.simulated for block in blocks)
    return WorstClient(
        client=client,
        weight=suspect.sum.weight,
        counts=suspect.sum.counts,
        uploads=suspect.evidence.uploads,
        is_blocked=None if blocks and not is_enforced else is_enforced,
    )


# By kind, the codes of what is turned away before a picture is looked at.
_AT_ADMISSION: Mapping[EvidenceKind, tuple[str, ...]] = {
    EvidenceKind.FLOOD: codes_of(EvidenceKind.FLOOD),
    EvidenceKind.SERVICE: ("overloaded", "decoder_busy", "decoder_unavailable"),
    EvidenceKind.NO_ENTRY: ("blocked", "unknown_key", "key_required", "wrong_scope"),
    EvidenceKind.MISTAKE: ("too_slow",),
}


@dataclass(frozen=True)
class TurnedAwayCount:
    """Requests that were turned away for one kind of reason.

    Attributes:
        requests: all of them.
        recorded: those that have a record of their own.
        codes: of these records, the commonest first.
    """

    kind: EvidenceKind
    requests: int
    recorded: int
    codes: tuple[str, ...]


def read_turned_away(
    session: Session, period: Period, reasons: Iterable[ReasonCount]
) -> tuple[TurnedAwayCount, ...]:
    """How many requests of a period were turned away, and why, most first.

    Args:
        reasons: all reasons of the period with their counts, commonest first.
    """
    counted = {each.kind: each.requests for each in count_turned_away(session, period)}
    listed = list(reasons)
    found = []
    for kind, codes in _AT_ADMISSION.items():
        recorded = [each for each in listed if each.reason in codes]
        number = sum(each.count for each in recorded)
        names = tuple(dict.fromkeys(each.reason for each in recorded))
        found.append(TurnedAwayCount(kind, number + counted.get(kind, 0), number, names))
    return tuple(sorted((each for each in found if each.requests), key=lambda e: -e.requests))

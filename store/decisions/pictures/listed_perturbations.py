"""Perturbations on the blacklist: a decision whose evidence carries the signature."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from detectors.perturbations.signatures import Signature, SignatureError
from store.decisions.decisions import Scope
from store.decisions.pictures.listings import NewListing, list_blocked, list_decided, list_new
from store.tables.work_tables import DecisionRow

# Each is looked for in every picture. The newest count: attackers make others.
MAX_PERTURBATIONS = 5
# What the evidence of such a decision holds.
SIGNATURE, LIMIT = "signature", "limit"


@dataclass(frozen=True, eq=False)
class ListedPerturbation:
    """One perturbation on the list.

    Attributes:
        decision_id: the decision that put it there.
        limit: the strength from which on a picture shows it.
        until: when the decision ends.
        simulated: whether pictures that show it are only flagged.
    """

    decision_id: int
    signature: Signature
    limit: float
    until: datetime
    simulated: bool


def signature_evidence(signature: Signature, limit: float) -> dict[str, object]:
    """What a decision has to carry for its perturbation to be found again."""
    cells = b64encode(signature.to_bytes()).decode()
    return {SIGNATURE: cells, LIMIT: round(limit, 4)}


def signature_of(evidence: Mapping[str, object]) -> tuple[Signature, float]:
    """The signature that :func:`signature_evidence` wrote down, and its limit.

    Raises:
        SignatureError: something of it is missing or damaged.
    """
    try:
        cells = b64decode(str(evidence[SIGNATURE]), validate=True)
        limit = float(str(evidence[LIMIT]))
    except (KeyError, ValueError) as error:
        raise SignatureError(f"The decision carries no signature: {error!r}.") from None
    return Signature.of_bytes(cells), limit


def listed_perturbations(session: Session, now: datetime) -> tuple[ListedPerturbation, ...]:
    """Those that are blocked now, newest first; one that cannot be read is logged, left out."""
    return list_blocked(session, Scope.PERTURBATION, _read, now, MAX_PERTURBATIONS)


def list_decided_perturbations(
    session: Session, now: datetime, *, simulated: bool
) -> tuple[ListedPerturbation, ...]:
    """Those that need no second decision: blocked now, or revoked by a person at any time."""
    return list_decided(session, Scope.PERTURBATION, _read, now, simulated=simulated)


def list_new_perturbations(session: Session, since: datetime) -> tuple[NewListing, ...]:
    """Those that were listed by a job at or after a time and not revoked, newest first."""
    return list_new(session, Scope.PERTURBATION, since, MAX_PERTURBATIONS)


def _read(row: DecisionRow) -> ListedPerturbation:
    signature, limit = signature_of(row.evidence)
    return ListedPerturbation(row.id, signature, limit, row.until, row.simulated)

"""Perturbations on the blacklist: a decision whose evidence carries the signature."""

from base64 import b64decode, b64encode
from collections.abc import Mapping

from detectors.perturbations.signatures import Signature, SignatureError
from store.decisions.pictures.listings import Listed, Listing
from store.decisions.scopes import Scope

# Each is looked for in every picture. The newest count: attackers make others.
_MAX_PERTURBATIONS = 5
# What the evidence of such a decision holds.
SIGNATURE, LIMIT = "signature", "limit"
ListedPerturbation = Listed[Signature]


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


PERTURBATIONS = Listing(Scope.PERTURBATION, _MAX_PERTURBATIONS, signature_of)

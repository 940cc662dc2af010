"""Asks the face prior where its answer matters: it costs twice what a parse does."""

from dataclasses import dataclass
from hashlib import blake2b
from math import nan

from detectors.parsing import Parsing
from detectors.parts import PartGroup, group_indices
from detectors.reductions import belongs, masked_mean, pixels_of
from inference.checks.base import Case, CheckResult, Needs

# One picture in 100, so that it is known what is normal.
_SAMPLE = round(0.01 * 2**64)


@dataclass(frozen=True)
class FacesCheck:
    """Counts frontal faces after the parse, if the parse alone does not say enough.

    A parse without a face or without hair may be an attack on either. One that is unsure may be
    wrong. Of the others a sample is taken that nobody without the secret can foretell.

    Attributes:
        key: what the sample is drawn with; see :func:`sampling_key`.
        max_entropy: mean foreground entropy in nats above which a parse is unsure.
    """

    key: bytes
    max_entropy: float
    name = "faces"
    needs = Needs.CONTENT

    def run(self, case: Case) -> CheckResult:
        """How many faces there are; NaN where nobody asked."""
        is_asked = self._is_doubtful(case.parsing) or self._is_sampled(case)
        faces = float(len(case.screening.faces.boxes)) if is_asked else nan
        return CheckResult({"faces_found": faces})

    def _is_doubtful(self, parsing: Parsing) -> bool:
        if _lacks(parsing, PartGroup.FACE) or _lacks_hair(parsing):
            return True
        entropy = masked_mean(parsing.entropies, parsing.winners != 0)
        # Written this way round, so that what cannot be judged is doubtful.
        return not entropy <= self.max_entropy

    def _is_sampled(self, case: Case) -> bool:
        """By the bytes and the model: sending a file again draws nothing new."""
        parts = (case.upload.sha256, case.segmenter.digest)
        draw = blake2b(":".join(parts).encode(), digest_size=8, key=self.key)
        return int.from_bytes(draw.digest()) < _SAMPLE


def sampling_key(secret: bytes) -> bytes:
    """The key of the sample, from the secret of a deployment."""
    return blake2b(secret, digest_size=32, person=b"maskwatch-faces").digest()


def _lacks_hair(parsing: Parsing) -> bool:
    """Whether hair is missing that the labels could name."""
    can_name = bool(group_indices(parsing.parts, (PartGroup.HAIR,)))
    return can_name and _lacks(parsing, PartGroup.HAIR)


def _lacks(parsing: Parsing, group: PartGroup) -> bool:
    """Whether a parse shows nothing of a part group."""
    return not pixels_of(belongs(parsing.winners, group_indices(parsing.parts, (group,))))

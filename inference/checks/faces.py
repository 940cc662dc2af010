"""Asks the face prior where its answer matters: it costs twice what a parse does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import nan

from detectors.parsing import Parsing
from detectors.parts import PartGroup, group_indices, label_mask
from detectors.reductions import belongs, masked_mean, pixels_of
from inference.checks.base import Case, CheckResult, Needs
from inference.gate.faces import FaceBox

# One picture in 100, so that it is known what is normal.
_SAMPLE = round(0.01 * 2**64)
# Of a box that the face prior draws; a face fills about half of it.
_MIN_FACE_SHARE = 0.02


@dataclass(frozen=True)
class FacesCheck:
    """Counts frontal faces after the parse, if the parse alone does not say enough.

    A parse without a face or without hair may be an attack on either. One that is unsure may be
    wrong. Of the others a sample is taken that nobody without the secret can foretell.

    Attributes:
        key: what the sample is drawn with; see :func:`sampling_key`.
        max_entropy_of: mean foreground entropy in nats above which a parse is unsure, for a
            model's digest.
    """

    key: bytes
    max_entropy_of: Callable[[str], float]
    name = "faces"
    needs = Needs.CONTENT

    def run(self, case: Case) -> CheckResult:
        """How many faces there are, and how many the parse lacks; NaN where nobody asked."""
        if not (self._is_doubtful(case) or self._is_sampled(case)):
            return CheckResult({"faces_found": nan, "faces_hidden": nan})
        boxes = case.screening.faces.boxes
        features = {"faces_found": float(len(boxes))}
        return CheckResult(features | {"faces_hidden": _count_hidden(boxes, case.parsing)})

    def _is_doubtful(self, case: Case) -> bool:
        parsing = case.parsing
        if _lacks(parsing, PartGroup.FACE) or _lacks_hair(parsing):
            return True
        entropy = masked_mean(parsing.entropies, parsing.winners != 0)
        # Written this way round, so that what cannot be judged is doubtful.
        return not entropy <= self.max_entropy_of(case.segmenter.digest)

    def _is_sampled(self, case: Case) -> bool:
        """By the bytes and the model: sending a file again draws nothing new."""
        parts = (case.upload.sha256, case.segmenter.digest)
        draw = blake2b(":".join(parts).encode(), digest_size=8, key=self.key)
        return int.from_bytes(draw.digest()) < _SAMPLE


def sampling_key(secret: bytes) -> bytes:
    """The key of the sample, from the secret of a deployment."""
    return blake2b(secret, digest_size=32, person=b"maskwatch-faces").digest()


def _count_hidden(boxes: Sequence[FaceBox], parsing: Parsing) -> float:
    """Boxes that hold next to no face of the parse; NaN if its labels cannot name one."""
    face = group_indices(parsing.parts, (PartGroup.FACE,))
    if not face:
        return nan
    pieces = [
        parsing.label_map[box.top : box.top + box.height, box.left : box.left + box.width]
        for box in boxes
    ]
    return float(sum(label_mask(each, face).mean() < _MIN_FACE_SHARE for each in pieces))


def _lacks_hair(parsing: Parsing) -> bool:
    """Whether hair is missing that the labels could name."""
    can_name = bool(group_indices(parsing.parts, (PartGroup.HAIR,)))
    return can_name and _lacks(parsing, PartGroup.HAIR)


def _lacks(parsing: Parsing, group: PartGroup) -> bool:
    """Whether a parse shows nothing of a part group."""
    return not pixels_of(belongs(parsing.winners, group_indices(parsing.parts, (group,))))

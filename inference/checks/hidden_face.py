"""Says where somebody has a face after all, that the parse does not show."""

from dataclasses import dataclass

from detectors.findings import Finding
from detectors.rule_book import FACE_HIDDEN, NO_PERSON, SKIN_SHARE_LOW
from inference.checks.base import Case, CheckResult, Needs

# By feature, from where on it is a sign; each is NaN or absent where nobody looked.
_SIGNS = {
    "faces_hidden": 1.0,
    "glance_returned_face_share": 0.5,
    "hidden_face_share": 0.8,
}


@dataclass(frozen=True)
class HiddenFaceCheck:
    """A parse without skin, or without anybody, is first the model's fault, or a picture of none.

    So both alone are odd. Together with a face that something else sees, they are bad: the face
    prior, the first look or the ensemble.
    """

    name = "hidden_face"
    needs = Needs.FINDINGS

    def run(self, case: Case) -> CheckResult:
        """The number of signs, and at most one finding, at the place of the person."""
        if not case.is_measured:
            return CheckResult()
        odd = [each for each in case.findings if each.rule in (NO_PERSON, SKIN_SHARE_LOW)]
        signs = {
            name: round(case.features[name], 3)
            for name, least in _SIGNS.items()
            if case.features.get(name, 0.0) >= least
        }
        features = {"face_signs": float(len(signs))}
        if not odd or not signs:
            return CheckResult(features)
        return CheckResult(features, (Finding(FACE_HIDDEN, signs, odd[0].places),))

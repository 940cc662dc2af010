"""Checks that measure the picture and the parse, and find nothing by themselves."""

from dataclasses import dataclass

from detectors.model_features import model_features
from inference.checks.base import Case, CheckResult, Needs


@dataclass(frozen=True)
class InputCheck:
    """Hands on what the gate measured: a number that cannot be costs no more than any other's."""

    name = "input"
    needs = Needs.CONTENT

    def run(self, case: Case) -> CheckResult:
        """The features of the group ``input``."""
        return CheckResult(case.screening.features)


@dataclass(frozen=True)
class ModelCheck:
    """Measures how sure the model was."""

    name = "model"
    needs = Needs.CONTENT

    def run(self, case: Case) -> CheckResult:
        """The features of the group ``model``."""
        return CheckResult(model_features(case.parsing))

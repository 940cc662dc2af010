"""A promoted outlier model and what it says of one request."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Self

import numpy as np

from detectors.findings import Finding
from detectors.outliers.cutoff import outlier_cutoff
from detectors.outliers.model import OutlierModel
from detectors.rule_book import OUTLIER_TRAFFIC

_MAX_CONTRIBUTIONS = 3


@dataclass(frozen=True, eq=False)
class PromotedModel:
    """A model with the p-value at or below which a request is an outlier, as in the scan."""

    model: OutlierModel
    cutoff: float

    @classmethod
    def load(cls, archive: bytes, digest: str, p_value: float, rows: int) -> Self:
        """Read an archive.

        Args:
            p_value: as set.
            rows: that the model was trained on.

        Raises:
            OutlierModelError: it was changed or is not one of ours.
        """
        return cls(OutlierModel.loads(archive, digest), outlier_cutoff(p_value, rows))

    def findings(self, features: Mapping[str, float]) -> tuple[Finding, ...]:
        """The finding of an outlier: its p-value, and what makes it one in quartile ranges."""
        row = np.array([features.get(name, nan) for name in self.model.names])
        p_value = float(self.model.p_values(np.array([self.model.score_one(row)]))[0])
        if p_value > self.cutoff:
            return ()
        contributions = self.model.contributions(row, _MAX_CONTRIBUTIONS)
        return (Finding(OUTLIER_TRAFFIC, {"p_value": round(p_value, 6), **contributions}),)

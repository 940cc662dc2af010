"""Baselines whose lines are drawn by hand."""

from math import log

import numpy as np

from detectors.baseline.attack_evidence import EVIDENCE
from detectors.baseline.baseline import Baseline, Expectation, Line

# What clean pictures show of each number, whatever explains it.
_USUAL = {"colour_detail_tile": 20.0}
_USUALLY = 0.05


def make_baseline(segmenter: str, look_again: float = 0.5) -> Baseline:
    """A baseline by which a parse that changes at all is odd, and one that falls apart crafted."""
    return Baseline(
        segmenter,
        tuple(
            Expectation(
                evidence,
                tuple(
                    Line(
                        part,
                        log(_USUAL.get(part.factors[0], _USUALLY)),
                        (0.0,) * len(part.predictors),
                        1.0,
                    )
                    for part in evidence.parts
                ),
                1.0,
            )
            for evidence in EVIDENCE
            if not evidence.is_optional
        ),
        look_again,
        tuple(float(score) for score in np.linspace(0, 1, 101)),
    )

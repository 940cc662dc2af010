"""What is said of clean trigger scores."""

import pytest

from bench.detection.pictures.cache import png_of
from bench.detection.pictures.uploads import File
from bench.detection.trigger.limit import limit_figures, score_of
from detectors.baseline.baseline import tail_threshold
from inference.figures import draw_figure
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS


def test_limits_are_those_of_the_stated_rates() -> None:
    scores = [0.0] * 36 + [0.01, 0.02, 0.03, 0.2]
    figures = limit_figures(scores)
    assert (figures["pictures"], figures["above_zero"], figures["highest"]) == (40, 4, 0.2)
    assert figures["limit_05pct"] == pytest.approx(tail_threshold(scores, 0.005))
    limits = [figures[name] for name in ("limit_1pct", "limit_05pct", "limit_01pct")]
    assert limits == sorted(limits)


def test_the_score_of_a_file_is_the_same_again() -> None:
    segmenter = ReferenceSegmenter.load(DEFAULT_WEIGHTS)
    file = File("raw", "drawn", png_of(draw_figure(3, (64, 96)).image))
    first = score_of(segmenter, file)
    assert 0 <= first <= 1
    assert score_of(segmenter, file) == first

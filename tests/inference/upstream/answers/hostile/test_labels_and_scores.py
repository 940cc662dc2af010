"""Labels that the preset lacks, and scores that are none."""

import json

import numpy as np
import pytest

from detectors.parsing import Parsing
from inference.upstream.answers.formats import LabelPng, ScoredMasks
from tests.inference.upstream.answers.answer_cases import LABEL_MAP, SIZE, base64, mask_png, png
from tests.inference.upstream.answers.hostile.outcomes import read_or_say_why, refusal_sentence


def test_a_label_that_the_preset_lacks_is_named() -> None:
    item = {"label": "tentacle" * 30, "score": 1, "mask": base64(mask_png(1))}
    assert "'tentacle" in refusal_sentence(ScoredMasks(), [item])
    assert "label 4" in refusal_sentence(LabelPng(), png(LABEL_MAP + 1))
    labels: list[object] = [4, -1, True, None, 1.0, ["face"], {}]
    for label in labels:
        assert "the preset lacks" in refusal_sentence(ScoredMasks(), [{**item, "label": label}])


@pytest.mark.parametrize("score", ["high", True, [], {}])
def test_a_score_is_a_number(score: object) -> None:
    item = {"label": 1, "score": score, "mask": base64(mask_png(1))}
    assert "no number" in refusal_sentence(ScoredMasks(), [item])


def test_huge_numbers_are_numbers() -> None:
    body = b'[{"label": 1, "mask": "%s", "score": %s}]'
    for score in (b"9" * 4_000, b"-1e300"):
        assert isinstance(
            read_or_say_why(ScoredMasks(), body % (base64(mask_png(1)).encode(), score)), Parsing
        )
    refusal_sentence(ScoredMasks(), body % (base64(mask_png(1)).encode(), b"1e999"))


def test_the_surest_mask_is_on_top() -> None:
    whole = base64(png(np.full(SIZE, 255, np.uint8)))
    for scores, winner in (((0.5, 0.9), 2), ((0.9, 0.5), 1), ((0.5, 0.5), 2)):
        items = [{"label": i, "score": score, "mask": whole} for i, score in enumerate(scores, 1)]
        parsing = read_or_say_why(ScoredMasks(), json.dumps(items).encode())
        assert isinstance(parsing, Parsing)
        assert (parsing.label_map == winner).all()

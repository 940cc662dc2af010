"""What becomes of an answer: a parsing that holds together, or one sentence."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from detectors.parsing import Parsing
from inference.labels.label_table import LabelTable
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import AnswerFormat
from inference.upstream.answers.read_answer import read_answer
from tests.inference.upstream.answers.answer_cases import LABEL_MAP, SIZE, TABLE
from tests.nearness import is_near

LARGE = (3_000, 4_000)
MASK = LABEL_MAP.clip(0, 1).tolist()


def read_or_say_why(
    form: AnswerFormat,
    body: bytes | Iterator[bytes],
    size: tuple[int, int] = SIZE,
    content_type: str = "",
    table: LabelTable = TABLE,
) -> Parsing | str:
    """A parsing, or the sentence that says why there is none."""
    try:
        return read_answer(form, table, content_type, body, size)
    except AnswerUnreadable as error:
        return str(error)


def refusal_sentence(form: AnswerFormat, document: object, **options: Any) -> str:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    outcome = read_or_say_why(form, body, **options)
    assert isinstance(outcome, str)
    assert outcome.endswith(".")
    assert len(outcome) < 300
    assert "\n" not in outcome
    return outcome


def check_outcome(parsing: Parsing | str) -> None:
    if isinstance(parsing, str):
        return
    assert parsing.label_map.shape == SIZE
    assert parsing.label_map.max() < len(TABLE.names)
    assert np.isfinite(parsing.probabilities).all()
    assert is_near(parsing.probabilities.sum(axis=0), 1, within=1e-5)

"""When the face prior is asked, and what is said where it is not."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isnan

import numpy as np
import pytest

from detectors.parsing import Parsing
from inference.checks.base import Case
from inference.checks.faces import FacesCheck, sampling_key
from inference.gate.faces import FaceBox, FacePrior
from inference.upload import Upload
from tests.inference.check_cases import Blind, blank_content, case_of

LABELS = ("background", "face", "hair", "pants")
BOXES = (FaceBox(1, 1, 20, 20), FaceBox(50, 1, 20, 20))
SURE, TORN = 0.97, 0.3
# Keys that draw the upload of the cases into the sample, and not.
KEY = sampling_key(b"a secret")


@dataclass
class Asked:
    """Finds two faces, and counts how often it was asked."""

    times: int = 0

    def find(self) -> tuple[FaceBox, ...]:
        self.times += 1
        return BOXES


@dataclass(frozen=True)
class Question:
    """A case whose face prior counts."""

    case: Case
    asked: Asked = field(default_factory=Asked)

    @classmethod
    def about(
        cls, shown: Sequence[str], sureness: float = SURE, data: bytes = b"bytes"
    ) -> "Question":
        asked = Asked()
        case = case_of(blank_content(), Blind())
        screening = replace(case.screening, faces=FacePrior(asked.find))
        parsing = _parsing(shown, sureness)
        return cls(replace(case, screening=screening, parsing=parsing, upload=Upload(data)), asked)


def _parsing(shown: Sequence[str], sureness: float) -> Parsing:
    """One column for each label, as sure as that."""
    probabilities = np.full((4, 2, len(shown)), (1 - sureness) / 3, dtype=np.float32)
    for column, label in enumerate(shown):
        probabilities[LABELS.index(label), :, column] = sureness
    return Parsing(probabilities, np.zeros((80, 80), np.uint8), LABELS)


def _faces(question: Question, key: bytes = KEY) -> float:
    return FacesCheck(key, lambda _: 1.0).run(question.case).features["faces_found"]


def test_a_sure_parse_with_face_and_hair_is_not_asked_about() -> None:
    question = Question.about(["background", "face", "hair"])
    assert isnan(_faces(question))
    assert question.asked.times == 0


@pytest.mark.parametrize(
    ("shown", "sureness"),
    [
        (["background", "hair", "pants"], SURE),
        (["background", "face", "pants"], SURE),
        (["background"], SURE),
        (["background", "face", "hair"], TORN),
    ],
    ids=["no face", "no hair", "nobody", "unsure"],
)
def test_it_is_asked_where_the_parse_does_not_say_enough(
    shown: Sequence[str], sureness: float
) -> None:
    question = Question.about(shown, sureness)
    assert _faces(question) == len(BOXES)


def test_an_unsure_parse_of_a_source_that_is_used_to_more_is_not_asked_about() -> None:
    question = Question.about(["background", "face", "hair"], TORN)
    limits = {question.case.segmenter.digest: 1.5}
    check = FacesCheck(KEY, limits.__getitem__)
    assert isnan(check.run(question.case).features["faces_found"])
    assert question.asked.times == 0


def test_it_is_not_asked_for_hair_that_the_labels_cannot_name() -> None:
    question = Question.about(["background", "face", "pants"])
    assert question.case.parsing is not None
    translation = ("background", "face", "head", "pants")
    bald = replace(question.case.parsing, translation=translation)
    assert isnan(_faces(replace(question, case=replace(question.case, parsing=bald))))


def test_it_is_asked_where_nobody_can_say_how_sure_the_parse_is() -> None:
    assert _faces(Question.about(["background", "face", "hair"], np.nan)) == len(BOXES)


def test_whoever_asks_again_gets_the_same_answer_for_nothing() -> None:
    question = Question.about(["background"])
    assert _faces(question) == _faces(question) == len(question.case.screening.faces.boxes)
    assert question.asked.times == 1


def test_a_hundredth_is_sampled_by_secret_bytes_and_model() -> None:
    shown = ["background", "face", "hair"]
    files = [str(number).encode() for number in range(5_000)]

    def drawn(key: bytes) -> list[bytes]:
        return [data for data in files if not isnan(_faces(Question.about(shown, data=data), key))]

    sample = drawn(KEY)
    assert 25 <= len(sample) <= 80
    assert drawn(KEY) == sample
    assert len(set(drawn(sampling_key(b"another"))) & set(sample)) < 10
    other = Blind()
    other.digest = "1" * 64
    questions = [Question.about(shown, data=data) for data in sample]
    moved = [Question(replace(each.case, segmenter=other)) for each in questions]
    assert sum(not isnan(_faces(each)) for each in moved) < 10


@pytest.mark.parametrize(("label", "hidden"), [("pants", 1.0), ("face", 0.0)])
def test_a_box_without_a_face_in_the_parse_is_counted(label: str, hidden: float) -> None:
    question = Question.about(["background"])
    label_map = np.zeros((80, 80), np.uint8)
    label_map[1:21, 1:21] = LABELS.index(label)
    label_map[1:21, 50:70] = LABELS.index("face")
    parsing = replace(question.case.parsing, label_map=label_map)
    features = FacesCheck(KEY, lambda _: 1.0).run(replace(question.case, parsing=parsing)).features
    assert features["faces_hidden"] == hidden


def test_faces_that_the_labels_cannot_name_are_not_hidden() -> None:
    question = Question.about(["background"])
    parsing = replace(question.case.parsing, translation=("background", "head", "hair", "pants"))
    features = FacesCheck(KEY, lambda _: 1.0).run(replace(question.case, parsing=parsing)).features
    assert features["faces_found"] == len(BOXES)
    assert isnan(features["faces_hidden"])

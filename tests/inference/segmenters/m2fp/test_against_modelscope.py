"""What ModelScope's own code finds with the same weights, in the same pictures."""

import json
import shutil
import warnings
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from detectors.label_lists import LABEL_LISTS
from detectors.parsing import Image, LabelMap
from inference.figures import draw_figure
from inference.segmenters.choice import Precision
from inference.segmenters.m2fp.deformable import provide
from inference.segmenters.m2fp.segmenter import M2FPSegmenter
from inference.supply.verified import open_model

SIZE = (90, 130)


def _picture() -> Image:
    return draw_figure(11, SIZE).image


def _pipeline(folder: Path) -> Any:
    provide()
    with warnings.catch_warnings(action="ignore"):
        pipeline = import_module("modelscope.pipelines").pipeline
        return pipeline("image-segmentation", model=str(folder), device="cpu")


def _answer(folder: Path, picture: Image, **sizes: int) -> Mapping[str, Any]:
    pipe = _pipeline(folder)
    with warnings.catch_warnings(action="ignore"), torch.no_grad():
        prepared = pipe.preprocess(Pillow.fromarray(picture), **sizes)
        answer: Mapping[str, Any] = pipe.postprocess(pipe.forward(prepared))
    return answer


def _painted(answer: Mapping[str, Any], shape: tuple[int, int]) -> LabelMap:
    """Parts in the order of their scores, as people paint this answer."""
    names, label_map = LABEL_LISTS["CIHP"], np.zeros(shape, np.uint8)
    for place in np.argsort(answer["scores"]):
        if answer["labels"][place] in names:
            label_map[answer["masks"][place] > 0] = names.index(answer["labels"][place])
    return label_map


def _several(folder: Path, precision: Precision = Precision.FLOAT32) -> M2FPSegmenter:
    cpu = torch.device("cpu")
    return M2FPSegmenter.load(open_model(folder), cpu, precision, short_side=160)


def test_parts_of_several_persons_are_the_same(m2fp_folder: Path) -> None:
    picture = _picture()
    theirs = _painted(_answer(m2fp_folder, picture, min_size=160, max_size=333), SIZE[::-1])
    ours = _several(m2fp_folder).parse(picture).label_map
    assert len(np.unique(theirs)) > 1
    assert (theirs == ours).mean() >= 0.999


def test_half_precision_changes_probabilities_by_little(m2fp_folder: Path) -> None:
    """Labels of a random network hang by a hair; how many stay is measured in the bench."""
    picture = _picture()
    whole = _several(m2fp_folder).parse(picture).probabilities
    half = _several(m2fp_folder, Precision.BFLOAT16).parse(picture).probabilities
    assert whole.std() > 0.05
    assert np.abs(whole - half).max() < 0.05


def test_persons_are_the_same(m2fp_folder: Path) -> None:
    picture = _picture()
    answer = _answer(m2fp_folder, picture, min_size=160, max_size=333)
    theirs = np.zeros(SIZE[::-1], dtype=np.bool_)
    for label, score, mask in zip(answer["labels"], answer["scores"], answer["masks"], strict=True):
        if label == "Human" and score > 0.5:
            theirs |= mask > 0
    persons = _several(m2fp_folder).parse(picture).persons
    assert persons is not None
    assert ((persons > 0) == theirs).mean() >= 0.999


def test_labels_of_one_person_are_the_same(
    m2fp_single_folder: Path, m2fp_single: M2FPSegmenter
) -> None:
    picture = _picture()
    answer = _answer(m2fp_single_folder, picture)
    names, theirs = LABEL_LISTS["CIHP"], np.zeros(SIZE[::-1], np.uint8)
    for label, mask in zip(answer["labels"], answer["masks"], strict=True):
        theirs[mask > 0] = names.index(label)
    assert (theirs == m2fp_single.parse(picture).label_map).mean() >= 0.999


def test_a_model_folder_is_one_that_modelscope_takes(m2fp_folder: Path, tmp_path: Path) -> None:
    """Its own check of weights is lax, so ours is tested for what it lets through."""
    copy = shutil.copytree(m2fp_folder, tmp_path / "copy")
    said = json.loads((copy / "configuration.json").read_text())
    said["model"]["decoder"]["num_queries"] = 99
    (copy / "configuration.json").write_text(json.dumps(said))
    assert _pipeline(copy).model.num_queries == 99
    with pytest.raises(Exception, match="has another shape"):
        _several(copy)

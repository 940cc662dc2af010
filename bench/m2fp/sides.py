"""What is compared: ModelScope's pipeline, our parse, and our parse with all that watches it."""

import sys
import warnings
from functools import partial
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import default_rng
from PIL import Image as Pillow
from torch import Tensor
from torch.nn import functional as fn

from bench.m2fp.contender import Work
from detectors.label_lists import LABEL_LISTS
from detectors.model_features import model_features
from detectors.parsing import Image, LabelMap
from detectors.picture.input_features import input_features
from detectors.registry import FeatureVector
from detectors.topology.persons import Scene
from detectors.topology.topology_features import topology_features
from detectors.topology.topology_limits import DEFAULTS
from detectors.topology.topology_rules import topology_findings
from inference.ensemble.ensemble import Ensemble
from inference.ensemble.recipe import Recipe
from inference.gate.faces import FaceFinder
from inference.machine.allocator import keep_few_arenas, keep_pages
from inference.segmenters.choice import Precision, SegmenterName
from inference.segmenters.m2fp.deformable import (
    MODULE,
    MultiScaleDeformableAttnFunction,
    provide,
)
from inference.segmenters.m2fp.segmenter import M2FPSegmenter
from inference.supply.verified import open_model

PARSE, MONITORED = "parse", "monitored"
_MEMBERS = 5


def modelscope_side(folder: str) -> dict[str, Work]:
    """The pipeline as people call it, with the attention that mmcv has for processors."""
    _provide_published_attention()
    with warnings.catch_warnings(action="ignore"):
        pipe = import_module("modelscope.pipelines").pipeline(
            "image-segmentation", model=folder, device="cpu"
        )
    return {PARSE: partial(_run_pipeline, pipe)}


def our_side(folder: str) -> dict[str, Work]:
    """Our parse, alone and with the five-member ensemble and all features."""
    keep_few_arenas()
    keep_pages()
    segmenter = _segmenter(folder, Precision.AUTO)
    ensemble = Ensemble(segmenter, Recipe(_MEMBERS, SegmenterName.M2FP.look_scale))
    return {
        PARSE: lambda image: segmenter.parse(image).label_map,
        MONITORED: partial(_run_monitored, segmenter, ensemble, FaceFinder()),
    }


def half_side(folder: str) -> dict[str, Work]:
    """Our parse in bfloat16, whether the processor likes it or not."""
    return _alone(folder, Precision.BFLOAT16)


def single_side(folder: str) -> dict[str, Work]:
    """Our parse in float32."""
    return _alone(folder, Precision.FLOAT32)


def _alone(folder: str, precision: Precision) -> dict[str, Work]:
    segmenter = _segmenter(folder, precision)
    return {PARSE: lambda image: segmenter.parse(image).label_map}


def _segmenter(folder: str, precision: Precision) -> M2FPSegmenter:
    provide()
    return M2FPSegmenter.load(open_model(Path(folder)), torch.device("cpu"), precision)


def _run_pipeline(pipe: Any, image: Image) -> LabelMap:
    """The pipeline's answer, painted in the order of its scores as its users do."""
    answer = pipe(Pillow.fromarray(image))
    names, label_map = LABEL_LISTS["CIHP"], np.zeros(image.shape[:2], np.uint8)
    for place in np.argsort(answer["scores"]):
        if answer["labels"][place] in names:
            label_map[answer["masks"][place] > 0] = names.index(answer["labels"][place])
    return label_map


def _run_monitored(
    segmenter: M2FPSegmenter, ensemble: Ensemble, faces: FaceFinder, image: Image
) -> LabelMap:
    """Everything that is measured on a request, from its pixels on."""
    features = input_features(image, image.nbytes)
    features |= {"faces_found": float(len(faces.find(image)))}
    parsing = segmenter.parse(image)
    scene = Scene.of(parsing)
    topology_findings(scene, DEFAULTS)
    features |= model_features(parsing) | topology_features(scene)
    features |= ensemble.look(image, parsing, default_rng(0)).features()
    FeatureVector.of(features)
    return parsing.label_map


def _provide_published_attention() -> None:
    """Without the compiled extension mmcv samples planes; ours would make the peer faster."""
    provide()
    names = sys.modules[MODULE].__dict__
    if names["MultiScaleDeformableAttnFunction"] is not MultiScaleDeformableAttnFunction:
        return  # mmcv is installed, and people with it have its compiled attention
    names["multi_scale_deformable_attn_pytorch"] = _published_attention
    names["MultiScaleDeformableAttnFunction"] = None


def _published_attention(
    value: Tensor, shapes: Tensor, locations: Tensor, weights: Tensor
) -> Tensor:
    """Deformable attention by ``grid_sample``, level by level (Zhu et al., ICLR 2021)."""
    batch, _, heads, channels = value.shape
    sizes = shapes.tolist()
    starts = [0, *np.cumsum([height * width for height, width in sizes]).tolist()]
    samples = []
    for level, ((height, width), (first, last)) in enumerate(
        zip(sizes, pairwise(starts), strict=True)
    ):
        plane = value[:, first:last].flatten(2).transpose(1, 2)
        plane = plane.reshape(batch * heads, channels, height, width)
        grid = locations[:, :, :, level].transpose(1, 2).flatten(0, 1) * 2 - 1
        samples.append(fn.grid_sample(plane, grid, align_corners=False))
    shares = weights.transpose(1, 2).reshape(batch * heads, 1, weights.shape[1], -1)
    sums = (torch.stack(samples, dim=-2).flatten(-2) * shares).sum(-1)
    return sums.view(batch, heads * channels, -1).transpose(1, 2).contiguous()

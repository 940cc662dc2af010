"""From queries to label map, persons and class probabilities.

ModelScope draws all hundred masks at the picture's size and then looks which of them count. Here a
query is dropped as soon as its score cannot reach the threshold any more; the rest is drawn in
small groups, and painted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as fn

from detectors.parsing import LabelMap
from detectors.topology.persons import Mask
from inference.segmenters.m2fp.preparation import Frame

# ModelScope's pipeline shows parts from this score on, out of its hundred best candidates.
_PART_THRESHOLD = 0.1
_CANDIDATES = 100
_MAX_PERSONS = 255
# Larger pictures are painted at this size: a mask has no detail to lose.
_PAINTED_PIXELS = 1_500_000
_GROUP = 8
# A query that is surely none of the labels adds less than this to any of them.
_MIN_SHARE = 1e-3


@dataclass(frozen=True, eq=False)
class Drawing:
    """A label map with the persons in it, both ``(H, W)`` uint8."""

    label_map: LabelMap
    persons: LabelMap | None


def class_probabilities(classes: Tensor, masks: Tensor, labels: int, frame: Frame) -> Tensor:
    """Class probabilities ``(labels, h, w)`` at a quarter of the input's size.

    Every query gives its classes to its mask's pixels (Cheng et al., MaskFormer, NeurIPS 2021);
    here they are divided by their sum.

    Args:
        classes: logits ``(Q, classes + 1)``.
        masks: logits ``(Q, h, w)``.
    """
    shares = classes.softmax(-1)[:, :labels]
    queries = shares.amax(-1) > _MIN_SHARE
    coverage = _within(masks[queries].float(), frame).sigmoid()
    sums = (shares[queries].T @ coverage.flatten(1)).view(labels, *coverage.shape[-2:])
    # A place that no query saw is background.
    sums[0] += torch.finfo(torch.float32).tiny
    return torch.div(sums, sums.sum(0, keepdim=True))


def _within(masks: Tensor, frame: Frame) -> Tensor:
    """The pixels ``(Q, h, w)`` of masks at a quarter of the size that show the picture."""
    top, left = frame.top // 4, frame.left // 4
    bottom = -(-(frame.top + frame.size[0]) // 4)
    right = -(-(frame.left + frame.size[1]) // 4)
    return masks[:, top:bottom, left:right]


def draw_single(
    classes: Tensor, masks: Tensor, labels: int, frame: Frame, size: tuple[int, int]
) -> Drawing:
    """The likeliest label of each pixel, for a model of one person."""
    shares = classes.softmax(-1)[:, :labels]
    queries = (shares.amax(-1) > _MIN_SHARE).nonzero().flatten()
    sums = torch.zeros(labels, *frame.size, device=masks.device)
    for rows in _groups(queries):
        coverage = _in_picture(masks[rows], frame).sigmoid()
        sums += torch.einsum("qc,qhw->chw", shares[rows], coverage)
    canvas = fn.interpolate(sums[None], _limit_size(size), mode="bilinear")
    label_map = canvas[0].argmax(0).to(torch.uint8).cpu().numpy()
    return Drawing(_at_size(label_map, size), None)


def draw_several(
    classes: Tensor,
    masks: Tensor,
    frame: Frame,
    size: tuple[int, int],
    person_class: int,
    person_threshold: float,
) -> Drawing:
    """Parts and persons, the best-scoring one on top.

    A part's score is its class probability times the mean probability of its mask's pixels.
    """
    candidates = _Candidates.of(classes, person_class, person_threshold)
    rows, columns = _limit_size(size)
    best_part, label_map = (
        np.zeros((rows, columns), np.float32),
        np.zeros((rows, columns), np.uint8),
    )
    people: list[tuple[float, Mask]] = []
    for query, mask, quality in _masks(masks, candidates.queries, frame, (rows, columns)):
        score = float(candidates.part_scores[query]) * quality
        if score >= _PART_THRESHOLD:
            on_top = mask & (score > best_part)
            best_part[on_top] = score
            label_map[on_top] = int(candidates.part_labels[query])
        person = float(candidates.person_scores[query]) * quality
        if person > person_threshold:
            people.append((person, mask))
    return Drawing(_at_size(label_map, size), _at_size(_persons(people, label_map.shape), size))


@dataclass(frozen=True, eq=False)
class _Candidates:
    """The queries that may still count, and what they would count as."""

    queries: Tensor
    part_scores: Tensor
    part_labels: Tensor
    person_scores: Tensor

    @classmethod
    def of(cls, classes: Tensor, person_class: int, person_threshold: float) -> "_Candidates":
        """Select by class probability alone, since no mask makes a score larger."""
        shares = classes.softmax(-1)[:, :-1]
        last = shares.flatten().topk(min(_CANDIDATES, shares.numel())).values[-1]
        shares = torch.where(shares >= last, shares, 0)
        part_scores, part_labels = shares[:, 1:person_class].max(-1)
        person_scores = shares[:, person_class]
        may = (part_scores >= _PART_THRESHOLD) | (person_scores > person_threshold)
        return cls(
            may.nonzero().flatten(), part_scores.cpu(), part_labels.cpu() + 1, person_scores.cpu()
        )


def _masks(
    masks: Tensor, queries: Tensor, frame: Frame, size: tuple[int, int]
) -> Iterator[tuple[int, Mask, float]]:
    """Query, mask ``(H, W)`` and its mean probability, in groups so that memory stays small."""
    for group in _groups(queries):
        logits = _in_picture(masks[group], frame)
        if logits.shape[-2:] != size:
            logits = fn.interpolate(logits[None], size, mode="bilinear")[0]
        inside = logits > 0
        area = inside.flatten(1).sum(1)
        surely = fn.threshold(logits.sigmoid_(), 0.5, 0.0, inplace=True)
        quality = surely.flatten(1).sum(1) / (area + 1e-6)
        pixels = inside.cpu().numpy()
        for row, query in enumerate(group.tolist()):
            yield query, pixels[row], float(quality[row])


def _groups(queries: Tensor) -> Iterator[Tensor]:
    """A few queries at a time; none at all if there are none."""
    return (queries[start : start + _GROUP] for start in range(0, len(queries), _GROUP))


def _in_picture(masks: Tensor, frame: Frame) -> Tensor:
    """Masks ``(Q, H, W)`` at the input's size, cut to the picture."""
    full = fn.interpolate(masks[None].float(), frame.padded_size, mode="bilinear")[0]
    return full[
        :,
        frame.top : frame.top + frame.size[0],
        frame.left : frame.left + frame.size[1],
    ]


def _persons(
    people: list[tuple[float, Mask]],
    shape: tuple[int, ...],
) -> LabelMap:
    persons = np.zeros(shape, np.uint8)
    ranking = sorted(people, key=lambda each: -each[0])[:_MAX_PERSONS]
    for number, (_, mask) in reversed(list(enumerate(ranking, start=1))):
        persons[mask] = number
    return persons


def _limit_size(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, sqrt(_PAINTED_PIXELS / (size[0] * size[1])))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _at_size(label_map: LabelMap, size: tuple[int, int]) -> LabelMap:
    if label_map.shape != size:
        label_map = cv2.resize(
            label_map, (size[1], size[0]), interpolation=cv2.INTER_NEAREST
        ).astype(np.uint8)
    return np.ascontiguousarray(label_map, dtype=np.uint8)

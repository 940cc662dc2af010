"""Patches of 1.5 % where attackers would put them: on the trunk, the face, beside the person.

Straight or rotated and scaled, of full resolution or of eight by eight coarse cells, in any colours
or grey only.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from math import sqrt

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as fn

from bench.detection.attacks.base import OwnAttack
from bench.detection.attacks.climb import Aim, climb
from detectors.parsing import Image, Parsing
from detectors.parts import TORSO_GROUPS, PartGroup, group_mask
from inference.segmenters.reference.training.attacks import Attackable, as_batch, as_image

_STEPS, _STEP = 60, 16 / 255
_AREA = 0.015
_CELLS = 8
_MAX_TURN_DEGREES, _MAX_SCALE = 45.0, 0.15
_SHIFT_PIXELS = 2
_CANDIDATES = 60


class Spot(StrEnum):
    """Where a patch lies."""

    TRUNK = "trunk"
    FACE = "face"
    BESIDE = "beside"


@dataclass(frozen=True)
class Print:
    """How a patch looks."""

    spot: Spot
    is_rotated: bool = False
    is_coarse: bool = False
    is_grey: bool = False


_PRINTS = {
    "patch_trunk": Print(Spot.TRUNK),
    "patch_face": Print(Spot.FACE),
    "patch_beside": Print(Spot.BESIDE),
    "patch_rotated": Print(Spot.TRUNK, is_rotated=True),
    "patch_coarse": Print(Spot.TRUNK, is_coarse=True),
    "patch_grey": Print(Spot.TRUNK, is_grey=True),
}


def placed_patch_attacks() -> list[OwnAttack]:
    """One of each kind."""
    return [
        OwnAttack(
            name=name,
            goal=Aim().goal,
            craft=partial(_craft, kind=kind),
            settings=f"{kind} area={_AREA} steps={_STEPS} turn={_MAX_TURN_DEGREES}",
        )
        for name, kind in _PRINTS.items()
    ]


def _craft(segmenter: Attackable, image: Image, seed: int, *, kind: Print) -> Image:
    clean, value, random = (
        as_batch(image),
        Aim().value(segmenter, image),
        np.random.default_rng(seed),
    )
    side = sqrt(image.shape[0] * image.shape[1] * _AREA)
    centre = _choose_centre(segmenter.parse(image), kind.spot, side, random)
    turn = float(random.uniform(-_MAX_TURN_DEGREES, _MAX_TURN_DEGREES)) * kind.is_rotated
    scale = 1 + float(random.uniform(-_MAX_SCALE, _MAX_SCALE)) * kind.is_rotated

    def lay(cells: Tensor, at: npt.NDArray[np.float64]) -> Tensor:
        colours = cells.expand(1, 3, *cells.shape[2:])
        return _lay_patch(clean, colours, at, side * scale, turn)

    def value_of(cells: Tensor) -> Tensor:
        return value(lay(cells, centre + random.integers(-_SHIFT_PIXELS, _SHIFT_PIXELS + 1, 2)))

    count = _CELLS if kind.is_coarse else round(side)
    generator = torch.Generator().manual_seed(seed)
    start = torch.rand((1, 1 if kind.is_grey else 3, count, count), generator=generator)
    cells = climb(start, value_of, lambda each: each.clamp(0, 1), steps=_STEPS, step=_STEP)
    return as_image(lay(cells, centre))


def _lay_patch(
    clean: Tensor, patch: Tensor, centre: npt.NDArray[np.float64], side: float, turn: float
) -> Tensor:
    """The picture with a patch ``(1, 3, n, n)`` of this side around a centre (row, column)."""
    height, width = clean.shape[-2:]
    angle = np.deg2rad(turn)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    down, right = rows - centre[0], columns - centre[1]
    across = (np.cos(angle) * right + np.sin(angle) * down) * 2 / side
    along = (np.cos(angle) * down - np.sin(angle) * right) * 2 / side
    where = torch.from_numpy(np.stack([across, along], axis=-1).astype(np.float32))[None]
    inside = (where.abs() <= 1).all(-1)[:, None]
    print_ = fn.grid_sample(
        patch, where, mode="nearest", padding_mode="border", align_corners=False
    )
    return torch.where(inside, print_, clean)


def _choose_centre(
    parsing: Parsing, spot: Spot, side: float, random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Row and column; the middle of the picture where the part is not there."""
    size = np.array(parsing.label_map.shape, dtype=np.float64)
    if spot is Spot.BESIDE:
        return _beside(parsing.label_map != 0, side, random)
    groups = TORSO_GROUPS if spot is Spot.TRUNK else (PartGroup.FACE,)
    places = np.argwhere(group_mask(parsing, *groups))
    return np.asarray(np.median(places, axis=0) if len(places) else size / 2, dtype=np.float64)


def _beside(
    foreground: npt.NDArray[np.bool_], side: float, random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Of some drawn places with no more foreground than need be, the one next to the person."""
    size = np.array(foreground.shape, dtype=np.float64)
    room = np.maximum(size - side, 0)
    centres = side / 2 + random.random((_CANDIDATES, 2)) * room
    cover = cv2.blur(foreground.astype(np.float32), (round(side), round(side)))
    nearness = cv2.distanceTransform((~foreground).astype(np.uint8), cv2.DIST_L2, 3)
    cells = [tuple(np.minimum(each, size - 1).astype(int)) for each in centres]
    ranking = [(round(float(cover[cell]), 2), float(nearness[cell])) for cell in cells]
    return np.asarray(centres[ranking.index(min(ranking))], dtype=np.float64)

"""Deformable attention against its definition, sample by sample."""

import sys
from itertools import pairwise
from types import ModuleType

import pytest
import torch
from torch import Tensor
from torch.nn import functional as fn

from inference.segmenters.m2fp.deformable import MODULE, deformable_attention, provide

SHAPES = ((3, 5), (6, 10), (1, 2))


def _inputs(queries: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    length = sum(height * width for height, width in SHAPES)
    value = torch.randn(2, length, 4, 8, generator=random)
    locations = torch.rand(2, queries, 4, 3, 2, 2, generator=random) * 1.6 - 0.3
    weights = torch.rand(2, queries, 4, 3, 2, generator=random)
    return value, locations, weights


def _by_definition(value: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    """Sample every plane with grid_sample, as published implementations do."""
    starts = [0]
    for height, width in SHAPES:
        starts.append(starts[-1] + height * width)
    total = torch.zeros(value.shape[0], locations.shape[1], 4, 8)
    for level, ((height, width), (first, last)) in enumerate(
        zip(SHAPES, pairwise(starts), strict=True)
    ):
        plane = value[:, first:last].permute(0, 2, 3, 1).reshape(-1, 8, height, width)
        grid = locations[:, :, :, level].transpose(1, 2).flatten(0, 1) * 2 - 1
        sampled = fn.grid_sample(plane, grid, align_corners=False)
        sampled = sampled.view(value.shape[0], 4, 8, -1, 2).permute(0, 3, 1, 4, 2)
        total += (sampled * weights[:, :, :, level, :, None]).sum(3)
    return total.flatten(2)


@pytest.mark.parametrize("queries", [1, 7, 4500])
def test_it_is_the_weighted_sum_of_bilinear_samples(queries: int) -> None:
    value, locations, weights = _inputs(queries)
    found = deformable_attention(value, SHAPES, locations, weights)
    assert torch.allclose(found, _by_definition(value, locations, weights), atol=1e-5)


def test_a_sample_in_the_middle_of_a_pixel_is_that_pixel() -> None:
    value = torch.arange(6.0).view(1, 6, 1, 1)
    place = torch.tensor([2.5 / 3, 1.5 / 2]).view(1, 1, 1, 1, 1, 2)
    found = deformable_attention(value, ((2, 3),), place, torch.ones(1, 1, 1, 1, 1))
    assert found.item() == pytest.approx(5)


@pytest.mark.parametrize("place", [(-1.0, 0.5), (2.0, 0.5), (0.5, -1.0), (0.5, 2.0)])
def test_a_sample_outside_counts_as_zero(place: tuple[float, float]) -> None:
    found = deformable_attention(
        torch.ones(1, 4, 1, 1),
        ((2, 2),),
        torch.tensor(place).view(1, 1, 1, 1, 1, 2),
        torch.ones(1, 1, 1, 1, 1),
    )
    assert found.item() == 0


def test_modelscope_finds_both_names_without_a_compiled_package() -> None:
    provide()
    module = sys.modules[MODULE]
    value, locations, weights = _inputs(3)
    found = module.MultiScaleDeformableAttnFunction.apply(
        value, torch.tensor(SHAPES), torch.tensor([0, 15, 75]), locations, weights, 128
    )
    direct = module.multi_scale_deformable_attn_pytorch(
        value, torch.tensor(SHAPES), locations, weights
    )
    assert torch.equal(found, direct)
    assert torch.equal(found, deformable_attention(value, SHAPES, locations, weights))


def test_a_compiled_package_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = ModuleType(MODULE)
    monkeypatch.setitem(sys.modules, MODULE, compiled)
    provide()
    assert sys.modules[MODULE] is compiled

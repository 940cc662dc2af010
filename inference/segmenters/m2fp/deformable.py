"""Multi-scale deformable attention in pure torch, under the names that ModelScope imports.

Deformable DETR (Zhu et al., ICLR 2021). ModelScope takes the function from mmcv's compiled
extension, whose fallback samples planes and keeps each sample of each channel in memory. Here a
sampled point is four weighted rows of a table, and one ``embedding_bag`` sums all rows of a query.
"""

import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from itertools import accumulate
from types import ModuleType

import torch
from torch import Tensor
from torch.nn import functional as fn

MODULE = "mmcv.ops.multi_scale_deform_attn"
# So many queries at a time that their indices and weights stay in the processor's cache.
_QUERIES = 2048

Shapes = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class _Levels:
    """Sizes of the feature levels, shaped to broadcast over ``(Q, heads, levels, points)``.

    In the table of rows each level has a margin of zeros, so that a place near or beyond its edge
    needs no case of its own.

    Attributes:
        sizes: width and height ``(levels, 1, 2)``.
        strides: rows of the table from one column, and from one line, to the next ``(levels, 1)``.
        first: row of each level's first corner, and of each head ``(heads, levels, 1)``.
        places: slice of the table and shape of each level with its margin.
        rows: of the whole table, all heads counted as one.
    """

    sizes: Tensor
    strides: Tensor
    first: Tensor
    places: tuple[tuple[slice, int, int], ...]
    rows: int


def deformable_attention(
    value: Tensor, shapes: Shapes, locations: Tensor, weights: Tensor
) -> Tensor:
    """Sum of values at sampled places, weighted.

    Args:
        value: ``(N, L, heads, channels)``, the levels one after the other, row by row.
        shapes: height and width of each level; the products add up to ``L``.
        locations: ``(N, Q, heads, levels, points, 2)``, x then y, 0 to 1 over the level; what lies
            outside counts as zero.
        weights: ``(N, Q, heads, levels, points)``.

    Returns:
        ``(N, Q, heads · channels)``.
    """
    levels = _levels(shapes, value.shape[2], value.device)
    results = [
        _attend(_table(each, levels), levels, places, shares)
        for each, places, shares in zip(value, locations, weights, strict=True)
    ]
    return torch.stack(results)


def _table(value: Tensor, levels: _Levels) -> Tensor:
    """Rows ``(rows · heads, channels)`` of one picture's values, with the margins."""
    _, heads, channels = value.shape
    table = value.new_zeros(levels.rows, heads * channels)
    start = 0
    for place, height, width in levels.places:
        inner = table[place].view(height, width, -1)[1:-2, 1:-2]
        count = inner.shape[0] * inner.shape[1]
        inner.copy_(value[start : start + count].reshape(inner.shape))
        start += count
    return table.view(-1, channels)


def _attend(rows: Tensor, levels: _Levels, locations: Tensor, weights: Tensor) -> Tensor:
    """One picture, a few queries at a time; the result is ``(Q, heads · channels)``."""
    groups = (torch.split(each, _QUERIES) for each in (locations, weights))
    parts = []
    for places, shares in zip(*groups, strict=True):
        index, share = _corners(levels, places.float(), shares.float())
        sums = fn.embedding_bag(index, rows, mode="sum", per_sample_weights=share.to(rows.dtype))
        parts.append(sums.view(places.shape[0], -1))
    return torch.cat(parts)


def _corners(levels: _Levels, places: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and weights ``(Q · heads, 4 · levels · points)`` of bilinear sampling.

    Whole numbers stay floats until the end: below 2²⁴ they are exact, and converted once.
    """
    # A pixel's centre is at one half, and the margin adds one.
    at = torch.addcmul(torch.full_like(levels.sizes, 0.5), places, levels.sizes)
    at = torch.minimum(at.clamp_(min=0.0), levels.sizes + 1)
    corner = at.floor()
    right, below = (at - corner).unbind(-1)
    column, line = levels.strides.unbind(-1)
    row = corner[..., 1] * line + corner[..., 0] * column + levels.first
    lower = shares * below
    upper = shares - lower
    lower_right, upper_right = lower * right, upper * right
    index = [row, row + column, row + line, row + (line + column)]
    share = [upper - upper_right, upper_right, lower - lower_right, lower_right]
    queries = places.shape[0] * places.shape[1]
    tensors = (torch.cat([x.view(queries, -1) for x in each], dim=1) for each in (index, share))
    whole, parts = tensors
    return whole.to(torch.int32), parts


@lru_cache(maxsize=64)
def _levels(shapes: Shapes, heads: int, device: torch.device) -> _Levels:
    tables = [(height + 3, width + 3) for height, width in shapes]
    starts = [0, *accumulate(height * width for height, width in tables)]
    sizes = torch.tensor([(w, h) for h, w in shapes], dtype=torch.float32, device=device)
    strides = [(heads, heads * width) for _, width in tables]
    first = torch.tensor(starts[:-1], dtype=torch.float32, device=device) * heads
    head = torch.arange(heads, dtype=torch.float32, device=device)
    return _Levels(
        sizes=sizes[:, None],
        strides=torch.tensor(strides, dtype=torch.float32, device=device)[:, None],
        first=(first[None, :] + head[:, None])[..., None],
        places=tuple(
            (slice(start, start + height * width), height, width)
            for start, (height, width) in zip(starts, tables, strict=False)
        ),
        rows=starts[-1],
    )


def multi_scale_deformable_attn_pytorch(
    value: Tensor, shapes: Tensor, locations: Tensor, weights: Tensor
) -> Tensor:
    """mmcv's name and arguments; see :func:`deformable_attention`."""
    sizes = tuple((int(height), int(width)) for height, width in shapes.tolist())
    return deformable_attention(value, sizes, locations, weights)


class MultiScaleDeformableAttnFunction:
    """mmcv's name of the compiled operation."""

    @staticmethod
    def apply(
        value: Tensor,
        shapes: Tensor,
        _starts: Tensor,
        locations: Tensor,
        weights: Tensor,
        _step: int,
    ) -> Tensor:
        """mmcv's arguments; see :func:`deformable_attention`."""
        return multi_scale_deformable_attn_pytorch(value, shapes, locations, weights)


def provide() -> None:
    """Make the two names importable where mmcv's compiled package is not installed."""
    if MODULE in sys.modules or _is_installed():
        return
    module = _module(MODULE)
    module.MultiScaleDeformableAttnFunction = MultiScaleDeformableAttnFunction  # type: ignore[attr-defined]
    module.multi_scale_deformable_attn_pytorch = multi_scale_deformable_attn_pytorch  # type: ignore[attr-defined]
    parents = {name: sys.modules.get(name) or _module(name) for name in ("mmcv", "mmcv.ops")}
    sys.modules.update(parents | {MODULE: module})


def _is_installed() -> bool:
    try:
        return find_spec(MODULE) is not None
    except ModuleNotFoundError:
        return False


def _module(name: str) -> ModuleType:
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    return module

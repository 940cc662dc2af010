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
    """Sizes of the feature levels, shaped to broadcast over ``(Q, heads, levels, points)``."""

    width: Tensor
    height: Tensor
    last_column: Tensor
    last_row: Tensor
    stride: Tensor
    first: Tensor
    head: Tensor


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
    _, length, heads, channels = value.shape
    levels = _levels(shapes, heads, value.device)
    found = [
        _attend(rows.reshape(length * heads, channels), levels, places, shares)
        for rows, places, shares in zip(value, locations, weights, strict=True)
    ]
    return torch.stack(found)


def _attend(rows: Tensor, levels: _Levels, locations: Tensor, weights: Tensor) -> Tensor:
    """One picture: ``rows`` ``(L · heads, channels)``; the result is ``(Q, heads · channels)``."""
    parts = []
    groups = (torch.split(each, _QUERIES) for each in (locations, weights))
    for places, shares in zip(*groups, strict=True):
        index, share = _corners(levels, places.float(), shares.float())
        summed = fn.embedding_bag(
            index.flatten(0, 1).flatten(1),
            rows,
            mode="sum",
            per_sample_weights=share.flatten(0, 1).flatten(1).to(rows.dtype),
        )
        parts.append(summed.view(places.shape[0], -1))
    return torch.cat(parts)


def _corners(levels: _Levels, places: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and weights ``(Q, heads, levels, points, 4)`` of bilinear sampling."""
    x = places[..., 0] * levels.width - 0.5
    y = places[..., 1] * levels.height - 0.5
    left, top = x.floor(), y.floor()
    to_right, to_bottom = x - left, y - top
    beside = _inside(left, levels.width, 1 - to_right, to_right)
    below = _inside(top, levels.height, 1 - to_bottom, to_bottom)
    columns = _held(left, levels.last_column)
    rows = [
        (row * levels.stride + levels.first) * levels.head.numel() + levels.head
        for row in _held(top, levels.last_row)
    ]
    step = levels.head.numel()
    index = torch.stack([row + column * step for row in rows for column in columns], dim=-1)
    share = torch.stack([shares * v * h for v in below for h in beside], dim=-1)
    return index, share


def _inside(first: Tensor, size: Tensor, near: Tensor, far: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of two neighbours, zero for one that lies outside."""
    return (
        near * ((first >= 0) & (first < size)),
        far * ((first >= -1) & (first < size - 1)),
    )


def _held(first: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of two neighbours, moved inside."""
    whole = first.to(torch.int32)
    return whole.clamp(min=0).minimum(last), (whole + 1).clamp(min=0).minimum(last)


@lru_cache(maxsize=64)
def _levels(shapes: Shapes, heads: int, device: torch.device) -> _Levels:
    def whole(values: list[int]) -> Tensor:
        return torch.tensor(values, dtype=torch.int32, device=device).view(1, 1, -1, 1)

    heights, widths = [h for h, _ in shapes], [w for _, w in shapes]
    starts = [sum(h * w for h, w in shapes[:i]) for i in range(len(shapes))]
    return _Levels(
        width=whole(widths).float(),
        height=whole(heights).float(),
        last_column=whole(widths) - 1,
        last_row=whole(heights) - 1,
        stride=whole(widths),
        first=whole(starts),
        head=torch.arange(heads, dtype=torch.int32, device=device).view(1, -1, 1, 1),
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

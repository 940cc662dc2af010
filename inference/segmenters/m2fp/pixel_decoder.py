"""The pixel decoder's forward pass over ModelScope's own layers.

The same arithmetic as ``MSDeformAttnPixelDecoder.forward_features``, without masks of pictures
that are not padded, with positions that are computed once for each size, and without the last
convolution, which :mod:`predictor` takes on at the few places where it is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as fn

from inference.segmenters.m2fp.deformable import Shapes, deformable_attention

# The feed-forward layers are four times as wide as the tokens; so many stay in the cache.
_TOKENS = 2048


@dataclass(frozen=True, eq=False)
class Pyramid:
    """Features of one batch.

    Attributes:
        coarse: three levels ``(N, channels, h, w)``, coarsest first, which queries attend to.
        fine: the finest level at a quarter of the input's size, in which masks are drawn.
    """

    coarse: tuple[Tensor, ...]
    fine: Tensor


@dataclass(frozen=True, eq=False)
class Places:
    """What depends on the sizes of the levels alone.

    Attributes:
        positions: sine embedding plus level embedding ``(1, L, channels)``.
        references: centre of each position in every level ``(1, L, 1, levels, 1, 2)``.
        per_pixel: one over width and height of each level ``(levels, 1, 2)``.
    """

    shapes: Shapes
    positions: Tensor
    references: Tensor
    per_pixel: Tensor


def pyramid(decoder: Any, features: Mapping[str, Tensor], places: Places) -> Pyramid:
    """Run the pixel decoder.

    Args:
        decoder: ModelScope's ``MSDeformAttnPixelDecoder``.
        features: the backbone's maps by name.
        places: of these features' sizes, from :func:`places_of`.
    """
    names = decoder.transformer_in_features[::-1]
    levels = [
        proj(features[name].float()) for proj, name in zip(decoder.input_proj, names, strict=True)
    ]
    tokens = torch.cat([level.flatten(2).transpose(1, 2) for level in levels], dim=1)
    for layer in decoder.transformer.encoder.layers:
        tokens = _encode(layer, tokens, places)
    lengths = [height * width for height, width in places.shapes]
    maps = [
        part.view(part.shape[0], *shape, -1).permute(0, 3, 1, 2)
        for part, shape in zip(torch.split(tokens, lengths, dim=1), places.shapes, strict=True)
    ]
    for index, name in enumerate(decoder.in_features[: decoder.num_fpn_levels][::-1]):
        maps.append(_finer(decoder, index, features[name].float(), maps[-1]))
    return Pyramid(tuple(maps[: decoder.maskformer_num_feature_levels]), maps[-1])


def _encode(layer: Any, tokens: Tensor, places: Places) -> Tensor:
    """One layer of the deformable encoder."""
    tokens = layer.norm1(tokens + _attend(layer.self_attn, tokens, places))
    parts = [part + _feed_forward(layer, part) for part in torch.split(tokens, _TOKENS, dim=1)]
    result: Tensor = layer.norm2(torch.cat(parts, dim=1))
    return result


def _feed_forward(layer: Any, tokens: Tensor) -> Tensor:
    wide = layer.linear1(tokens)
    # The wide layer is used once and thrown away: no second one for what is above zero.
    wide = wide.relu_() if layer.activation is fn.relu else layer.activation(wide)
    result: Tensor = layer.linear2(wide)
    return result


def _attend(attention: Any, tokens: Tensor, places: Places) -> Tensor:
    batch, length, _ = tokens.shape
    shape = (batch, length, attention.n_heads, attention.n_levels, attention.n_points)
    queries = tokens + places.positions
    offsets = attention.sampling_offsets(queries).view(*shape, 2).float()
    weights = attention.attention_weights(queries).view(*shape[:3], -1).float().softmax(-1)
    locations = torch.addcmul(places.references, offsets, places.per_pixel)
    values = attention.value_proj(tokens).view(batch, length, attention.n_heads, -1).float()
    context = deformable_attention(values, places.shapes, locations, weights.view(shape))
    result: Tensor = attention.output_proj(context)
    return result


def _finer(decoder: Any, index: int, feature: Tensor, below: Tensor) -> Tensor:
    lateral = decoder.lateral_convs[index](feature)
    coarse = fn.interpolate(below, lateral.shape[-2:], mode="bilinear")
    result: Tensor = decoder.output_convs[index](lateral + coarse)
    return result


def places_of(decoder: Any, shapes: Shapes, device: torch.device) -> Places:
    """Positions and reference points of levels of these sizes."""
    embeddings = [
        decoder.pe_layer(torch.empty(1, 1, *shape, device=device)).flatten(2).transpose(1, 2)
        + decoder.transformer.level_embed[level]
        for level, shape in enumerate(shapes)
    ]
    centres = torch.cat([_centres(height, width, device) for height, width in shapes])
    sizes = torch.tensor([(w, h) for h, w in shapes], dtype=torch.float32, device=device)
    return Places(
        shapes,
        torch.cat(embeddings, dim=1),
        centres[None, :, None, None, None],
        (1 / sizes)[:, None],
    )


def _centres(height: int, width: int, device: torch.device) -> Tensor:
    """Centres ``(h · w, 2)``, x then y, 0 to 1."""
    y = (torch.arange(height, device=device) + 0.5) / height
    x = (torch.arange(width, device=device) + 0.5) / width
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([columns.flatten(), rows.flatten()], dim=-1)

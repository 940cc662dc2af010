"""The query decoder's forward pass over ModelScope's own layers.

The same arithmetic as ``MultiScaleMaskedTransformerDecoder.forward``. There, each of ten rounds
draws all masks at a quarter of the input's size, only to shrink nine of them at once; drawing and
shrinking are both linear, so here the rounds between draw at the size that they need.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from inference.segmenters.m2fp.pixel_decoder import Pyramid


@dataclass(frozen=True, eq=False)
class Queries:
    """What each query found.

    Attributes:
        classes: logits ``(N, Q, classes + 1)`` float32; the last one says that it found nothing.
        masks: logits ``(N, Q, h, w)`` float32 at a quarter of the input's size.
    """

    classes: Tensor
    masks: Tensor


def predict(predictor: Any, mask_features: nn.Conv2d, features: Pyramid) -> Queries:
    """Let the queries look.

    Args:
        predictor: ModelScope's ``MultiScaleMaskedTransformerDecoder``.
        mask_features: the pixel decoder's last convolution, one pixel wide.
        features: of the pixel decoder.
    """
    count = len(features.coarse)
    memories = [_memory(predictor, level, x) for level, x in enumerate(features.coarse)]
    positions = [
        predictor.pe_layer(x[:1], None).flatten(2).transpose(1, 2) for x in features.coarse
    ]
    canvases = [_shrink(mask_features, features.fine, x.shape[-2:]) for x in features.coarse]
    batch = features.fine.shape[0]
    where = predictor.query_embed.weight.expand(batch, -1, -1)
    queries = predictor.query_feat.weight.expand(batch, -1, -1)
    for layer in range(predictor.num_layers):
        level = layer % count
        mask = _visible(_mask_embedding(predictor, queries), canvases[level])
        queries = _cross(
            predictor.transformer_cross_attention_layers[layer],
            queries + where,
            queries,
            (memories[level] + positions[level], memories[level]),
            mask,
        )
        queries = _self(predictor.transformer_self_attention_layers[layer], queries, where)
        queries = predictor.transformer_ffn_layers[layer](queries)
    classes = predictor.class_embed(predictor.decoder_norm(queries))
    masks = _draw_masks(mask_features, _mask_embedding(predictor, queries), features.fine)
    return Queries(classes.float(), masks)


def _memory(predictor: Any, level: int, feature: Tensor) -> Tensor:
    tokens = predictor.input_proj[level](feature).flatten(2).transpose(1, 2)
    memory: Tensor = tokens + predictor.level_embed.weight[level]
    return memory


def _mask_embedding(predictor: Any, queries: Tensor) -> Tensor:
    embedding: Tensor = predictor.mask_embed(predictor.decoder_norm(queries)).float()
    return embedding


def _shrink(mask_features: nn.Conv2d, fine: Tensor, size: torch.Size) -> Tensor:
    """Mask features ``(N, channels, h · w)`` at a smaller size."""
    small = fn.interpolate(fine, size, mode="bilinear")
    shrunk: Tensor = mask_features(small).float().flatten(2)
    return shrunk


def _draw_masks(mask_features: nn.Conv2d, embedding: Tensor, fine: Tensor) -> Tensor:
    """Masks at full size; the convolution is multiplied into the few queries, not into pixels."""
    weight = mask_features.weight.float().flatten(1)
    bias = torch.zeros(1, device=fine.device) if mask_features.bias is None else mask_features.bias
    masks = (embedding @ weight) @ fine.float().flatten(2)
    result = torch.add(masks, (embedding * bias).sum(-1, keepdim=True))
    return result.view(*result.shape[:2], *fine.shape[-2:])


def _visible(embedding: Tensor, canvas: Tensor) -> Tensor:
    """Which places ``(N, 1, Q, h · w)`` a query may attend to: its mask so far, or all."""
    mask = embedding @ canvas >= 0
    return (mask | ~mask.any(-1, keepdim=True))[:, None]


def _cross(
    layer: Any, inputs: Tensor, queries: Tensor, memory: tuple[Tensor, Tensor], mask: Tensor
) -> Tensor:
    result: Tensor = layer.norm(queries + _attention(layer.multihead_attn, inputs, memory, mask))
    return result


def _self(layer: Any, queries: Tensor, where: Tensor) -> Tensor:
    inputs = queries + where
    result: Tensor = layer.norm(
        queries + _attention(layer.self_attn, inputs, (inputs, queries), None)
    )
    return result


def _attention(
    attention: nn.MultiheadAttention,
    inputs: Tensor,
    memory: tuple[Tensor, Tensor],
    mask: Tensor | None,
) -> Tensor:
    """Multi-head attention ``(N, Q, channels)`` without the averaged weights that nobody reads."""
    heads = attention.num_heads
    parts = zip(
        (inputs, *memory),
        attention.in_proj_weight.chunk(3),
        attention.in_proj_bias.chunk(3),
        strict=True,
    )
    query, key, value = (
        fn.linear(x, weight, bias).view(*x.shape[:2], heads, -1).transpose(1, 2)
        for x, weight, bias in parts
    )
    context = fn.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    result: Tensor = attention.out_proj(context.transpose(1, 2).flatten(2))
    return result

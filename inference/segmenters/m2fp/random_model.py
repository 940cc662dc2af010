"""Writes a genuine model folder with random weights: real weights cannot be had everywhere.

For tests and benches. The folder has the form that ModelScope publishes and loads.
"""

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from detectors.label_lists import LABEL_LISTS
from inference.figures import draw_figure
from inference.segmenters.m2fp.configuration import (
    CONFIGURATION,
    MODEL_TYPE,
    TASK,
    read_configuration,
)
from inference.segmenters.m2fp.network import build_network
from inference.segmenters.m2fp.pixel_decoder import places_of, pyramid
from inference.segmenters.m2fp.preparation import Frame, prepare

_STAGES = ["res2", "res3", "res4", "res5"]
_MIXING, _CLASS_GAIN, _MASK_GAIN = 0.2, 6.0, 20.0
# Of a hundred queries, most find nothing.
_PERSON, _NOTHING = 5.0, 9.0


def write_random_model(
    folder: Path,
    *,
    depth: int = 50,
    single_side: int | None = None,
    seed: int = 0,
    layers: int = 6,
    width: int = 64,
) -> Path:
    """Write ``configuration.json`` and ``pytorch_model.pt``.

    Args:
        depth: of the ResNet: 50 or 101.
        single_side: for one person instead of several, in a square input of so many pixels.
        layers: of the encoder; the published models have 6, and half as many again decoder layers.
        width: channels of the ResNet's first stage, before its last convolution; theirs have 64.
    """
    folder.mkdir(parents=True, exist_ok=True)
    configuration = _configuration(_backbone(depth, width), single_side, layers)
    text = json.dumps(configuration, indent=2).encode()
    (folder / CONFIGURATION).write_bytes(text)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(read_configuration(text, CONFIGURATION), CONFIGURATION)
        _sharpen(network)
    torch.save({"model": network.state_dict()}, folder / "pytorch_model.pt")
    return folder


def _sharpen(network: Any) -> None:
    """Make queries differ and be sure of something, as trained ones do.

    Untouched random attention averages all queries into one, which then paints the whole picture.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            torch.nn.init.uniform_(module.get_buffer("running_mean"), -0.1, 0.1)
            torch.nn.init.uniform_(module.get_buffer("running_var"), 0.8, 1.2)
    predictor = network.sem_seg_head.predictor
    with torch.no_grad():
        _centre_masks(network)
        for layer in predictor.transformer_self_attention_layers:
            layer.self_attn.out_proj.weight.mul_(_MIXING)
        for layer in predictor.transformer_cross_attention_layers:
            layer.multihead_attn.out_proj.weight.mul_(_MIXING)
        predictor.class_embed.weight.mul_(_CLASS_GAIN)
        predictor.class_embed.bias[-2:] += torch.tensor([_PERSON, _NOTHING])
        predictor.mask_embed.layers[-1].weight.mul_(_MASK_GAIN)


def _centre_masks(network: Any) -> None:
    """Let masks be about half inside and half outside."""
    decoder = network.sem_seg_head.pixel_decoder
    figure = draw_figure(0, (192, 256)).image
    features = network.backbone(prepare(figure, Frame((256, 192), (256, 192))))
    shapes = tuple(tuple(features[n].shape[-2:]) for n in decoder.transformer_in_features[::-1])
    fine = pyramid(decoder, features, places_of(decoder, shapes, torch.device("cpu"))).fine
    last = decoder.mask_features
    last.bias.copy_(-(last.weight.flatten(1) @ fine.mean(dim=(0, 2, 3))))


def _configuration(
    backbone: dict[str, Any], single_side: int | None, layers: int
) -> dict[str, Any]:
    parts, single = list(LABEL_LISTS["CIHP"]), single_side is not None
    classes = parts if single else [*parts, "Human"]
    model = {
        "type": MODEL_TYPE,
        "pretrained": True,
        "backbone": backbone,
        "encoder": _encoder(layers),
        "decoder": _decoder(layers, len(classes)),
        "classes": classes,
        "num_parsing": len(parts),
        "single_human": single,
        "input_single_human": {"sizes": [[single_side, single_side]]} if single else None,
        "parsing_on": not single,
        "semantic_on": single,
        "sem_seg_postprocess_before_inference": not single,
    }
    return {
        "framework": "pytorch",
        "task": TASK,
        "model": model,
        "pipeline": {"type": "m2fp-image-human-parsing"},
    }


def _backbone(depth: int, width: int) -> dict[str, Any]:
    return {
        "out_features": _STAGES,
        "depth": depth,
        "num_groups": 1,
        "width_per_group": width,
        "norm": "BN",
        "stem_out_channels": 2 * width,
        "res2_out_channels": 4 * width,
        "stride_in_1x1": False,
        "res4_dilation": 1,
        "res5_dilation": 1,
        "res5_multi_grid": [1, 1, 1],
    }


def _encoder(layers: int) -> dict[str, Any]:
    return {
        "in_features": _STAGES,
        "transformer_dropout": 0.0,
        "transformer_nheads": 8,
        "transformer_dim_feedforward": 1024,
        "transformer_enc_layers": layers,
        "conv_dim": 256,
        "mask_dim": 256,
        "transformer_in_features": _STAGES[1:],
        "common_stride": 4,
    }


def _decoder(layers: int, classes: int) -> dict[str, Any]:
    return {
        "num_classes": classes,
        "hidden_dim": 256,
        "num_queries": 100,
        "nheads": 8,
        "dim_feedforward": 2048,
        "dec_layers": layers * 3 // 2,
        "pre_norm": False,
        "mask_dim": 256,
        "enforce_input_project": False,
    }

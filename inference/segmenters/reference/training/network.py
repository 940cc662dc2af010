"""The network: a small residual encoder-decoder with skip connections.

U-Net's shape (Ronneberger et al., MICCAI 2015) with residual blocks (He et al., CVPR 2016), a
pooled context branch at the bottom (Zhao et al., PSPNet, CVPR 2017) and additive skips. Fully
convolutional: any size whose sides are multiples of 16 works.
"""

from copy import deepcopy
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as fn
from torch.nn.utils.fusion import fuse_conv_bn_eval

WIDTHS = (32, 64, 112, 176)
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


def normalise(pictures: Tensor) -> Tensor:
    """RGB pictures ``(N, 3, H, W)`` in [0, 1] as the network takes them."""
    mean, deviation = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, DEVIATION))
    return ((pictures - mean) / deviation).contiguous(memory_format=torch.channels_last)


class _Block(nn.Module):
    """Two 3 × 3 convolutions around a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Features ``(N, outputs, H / stride, W / stride)``."""
        branch = fn.relu(self.first_norm(self.first(x)), inplace=True)
        branch = self.second_norm(self.second(branch))
        return fn.relu(branch.add_(self.shortcut(x)), inplace=True)


class _Context(nn.Module):
    """Lets every position see coarse summaries of the whole picture."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.coarse = nn.ModuleList(nn.Conv2d(channels, channels // 4, 1) for _ in BINS)
        self.merge = nn.Conv2d(channels + channels // 4 * len(BINS), channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the same shape."""
        size = x.shape[-2:]
        context = [
            fn.interpolate(conv(fn.adaptive_avg_pool2d(x, bins)), size, mode="bilinear")
            for bins, conv in zip(BINS, self.coarse, strict=True)
        ]
        return fn.relu(self.merge(torch.cat([x, *context], dim=1)))


BINS = ((1, 1), (3, 2), (6, 4))


class ReferenceNetwork(nn.Module):
    """Logits ``(N, classes, H / 2, W / 2)`` of normalised pictures ``(N, 3, H, W)`` float32.

    The first convolution halves the picture, where most of a full-size network's time would go.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, WIDTHS[0], 3, 2, 1, bias=False),
            nn.BatchNorm2d(WIDTHS[0]),
            nn.ReLU(inplace=True),
        )
        pairs = list(pairwise(WIDTHS))
        self.down = nn.ModuleList(nn.Sequential(_Block(a, b, 2), _Block(b, b, 1)) for a, b in pairs)
        self.context = _Context(WIDTHS[-1])
        self.reduce = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in reversed(pairs))
        self.up = nn.ModuleList(_Block(a, a, 1) for a, _ in reversed(pairs))
        self.head = nn.Conv2d(WIDTHS[0], classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of normalised pictures."""
        x = self.stem(x)
        skips = []
        for stage in self.down:
            skips.append(x)
            x = stage(x)
        x = self.context(x)
        for reduce, block, skip in zip(self.reduce, self.up, reversed(skips), strict=True):
            below = fn.interpolate(reduce(x), skip.shape[-2:], mode="bilinear")
            x = block(below + skip)
        logits: Tensor = self.head(x)
        return logits


def fold_network(network: ReferenceNetwork) -> ReferenceNetwork:
    """A copy for inference that answers the same, its batch norms folded into convolutions."""
    copy = deepcopy(network).eval().requires_grad_(False)
    _fold(copy.stem, "0", "1")
    for block in copy.modules():
        if isinstance(block, _Block):
            _fold(block, "first", "first_norm")
            _fold(block, "second", "second_norm")
    return copy.to(memory_format=torch.channels_last)


def _fold(module: nn.Module, convolution: str, norm: str) -> None:
    first = cast(nn.Conv2d, module.get_submodule(convolution))
    second = cast(nn.BatchNorm2d, module.get_submodule(norm))
    setattr(module, convolution, fuse_conv_bn_eval(first, second))
    setattr(module, norm, nn.Identity())

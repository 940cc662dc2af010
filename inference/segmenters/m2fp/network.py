"""ModelScope's network with a model folder's weights in it, made ready to run."""

import copy
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from inference.segmenters.m2fp.configuration import M2FPConfiguration
from inference.segmenters.m2fp.deformable import provide
from inference.supply.errors import ModelError

# What a training leaves in a checkpoint and a parse has no use for.
_UNUSED = ("criterion.", "pixel_mean", "pixel_std")
_MAX_NAMED = 3


def build_network(configuration: M2FPConfiguration, path: str) -> Any:
    """ModelScope's own ``M2FP``, without weights.

    Args:
        path: names the configuration in errors.

    Raises:
        ModelError: ModelScope cannot build it from this configuration.
    """
    provide()
    with warnings.catch_warnings(action="ignore"):  # it uses names that torch has renamed
        from modelscope.models.cv.image_human_parsing import M2FP  # noqa: PLC0415

        # ModelScope takes entries out of what it is given.
        arguments = copy.deepcopy(dict(configuration.network))
        try:
            return M2FP(model_dir=".", pretrained=False, **arguments).eval()
        except (KeyError, TypeError, ValueError, AssertionError, IndexError, RuntimeError) as error:
            raise ModelError(
                f"ModelScope cannot build a network from {path} ({type(error).__name__}: {error}): "
                "download the model again."
            ) from None


def take_weights(network: nn.Module, tensors: Mapping[str, Tensor], path: str) -> None:
    """Fill a network; every parameter has to be there with its shape.

    ModelScope skips what does not fit, and then parses with random numbers.

    Raises:
        ModelError: weights are missing, left over or of another shape.
    """
    weights = {k: v for k, v in tensors.items() if not k.startswith(_UNUSED)}
    parameters = network.state_dict()
    wrong = [
        *(f"{k} is missing" for k in parameters if k not in weights),
        *(f"{k} is not known" for k in weights if k not in parameters),
        *(f"{k} has another shape" for k, v in weights.items() if _differs(v, parameters.get(k))),
    ]
    if wrong:
        names = ", ".join(wrong[:_MAX_NAMED])
        raise ModelError(
            f"The weights in {path} do not belong to this network ({names}; {len(wrong)} in all): "
            "configuration and weights come from different models."
        )
    network.load_state_dict(dict(weights))


def _differs(weight: Tensor, parameter: Tensor | None) -> bool:
    return parameter is not None and weight.shape != parameter.shape


def fold_norms(backbone: nn.Module) -> None:
    """Multiply every batch norm into the convolution before it, in place (Jacob et al., 2018)."""
    for module in backbone.modules():
        norm = getattr(module, "norm", None)
        if isinstance(module, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            _fold(module, norm)


def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    if norm.running_mean is None or norm.running_var is None:
        return
    weight, bias = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )
    convolution.weight, convolution.bias = weight, bias
    convolution.norm = None  # type: ignore[assignment]


def prepare_network(network: Any, device: torch.device, precision: torch.dtype) -> Any:
    """Fold, move, and lay out the network for the device; parameters get no gradient."""
    network.requires_grad_(False)
    fold_norms(network.backbone)
    network.to(device)
    network.backbone.to(precision)
    return network.to(memory_format=torch.channels_last)

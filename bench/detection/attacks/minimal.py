"""DAG and ALMA-prox: the smallest change that does it, by adv-lib.

Both see the picture through 8-bit rounding, whose gradient is taken as one: what they find survives
being saved. Both stop at a share of the foreground that is changed.
"""

import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, cast

import torch
from torch import Tensor

from bench.detection.attacks.base import OwnAttack, Untargeted
from detectors.errors import MaskwatchError
from detectors.parsing import Image
from inference.segmenters.reference.training.attacks import (
    Attackable,
    as_batch,
    as_image,
    clean_labels,
)

_STEPS = 100
# Of the foreground that has to change. adv-lib's 0.99 takes hundreds of steps; half is more than
# twice what counts as success.
_SHARE = 0.5
_DAG_STEP = 0.01
_BACKGROUND = 0
_Run = Callable[..., Tensor]


class LibraryMissing(MaskwatchError):
    """An attack needs a library that is not installed."""


def minimal_attacks() -> list[OwnAttack]:
    """Dense adversary generation (Xie et al., ICCV 2017), ALMA-prox (Rony et al., CVPR 2023)."""
    options: dict[str, dict[str, Any]] = {
        "dag": {"max_iter": _STEPS, "γ": _DAG_STEP},
        "alma_prox": {"num_steps": _STEPS},
    }
    return [
        OwnAttack(
            name=name,
            goal=Untargeted(),
            craft=partial(_craft, name=name, options=arguments),
            settings=f"{arguments} share={_SHARE}",
        )
        for name, arguments in options.items()
    ]


def _craft(
    segmenter: Attackable, image: Image, seed: int, *, name: str, options: dict[str, Any]
) -> Image:
    run = _from_library(name)
    torch.manual_seed(seed)
    truth = clean_labels(segmenter, image)

    def model(pictures: Tensor) -> Tensor:
        return segmenter.logits(_round_pixels(pictures))

    # adv-lib compiles one function to machine code, which takes longer than to run it.
    with torch.compiler.set_stance("force_eager"):
        result = run(
            model,
            as_batch(image),
            truth,
            masks=truth != _BACKGROUND,
            adv_threshold=_SHARE,
            **options,
        )
    return as_image(result)


def _round_pixels(pictures: Tensor) -> Tensor:
    levels = (pictures.detach().clamp(0, 1) * 255).round() / 255
    return pictures + (levels - pictures).detach()


def _from_library(name: str) -> _Run:
    try:
        with warnings.catch_warnings(action="ignore"):  # of what it imports to draw curves
            library = import_module("adv_lib.attacks.segmentation")
    except ImportError as error:
        raise LibraryMissing(
            f"The attack {name} needs adv-lib, and {error.name} is missing: install the extra "
            "with `make bench-install`, or leave the attack out by --only."
        ) from None
    return cast(_Run, getattr(library, name))

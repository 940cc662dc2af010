"""Attacks that outlast a harmless change: saved as JPEG, made at another size, coarse, transferred.

Their makers do not know the detector. JPEG passes the gradient as if it were not there (backward
pass differentiable approximation, Athalye et al., ICML 2018).
"""

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import Tensor

from bench.detection.attacks.base import Attack, Craft, OwnAttack, Perturbation, Trainer, Untargeted
from bench.detection.attacks.climb import Aim, climb
from bench.detection.attacks.universal import stretch_change
from detectors.parsing import Image
from detectors.parts import PartGroup
from inference.ensemble.transforms import Jpeg
from inference.segmenters.reference.training.attacks import Attackable, as_batch, as_image

_STEPS = 40
_BOUND = 8 / 255
_JPEG = Jpeg(lowest=75, highest=75)
_FACE, _HANDS = (PartGroup.FACE,), (PartGroup.ARMS,)


@dataclass(frozen=True)
class Method:
    """How a change within eight levels is searched.

    Attributes:
        scale: linear size at which the model is asked, over that of its parse.
        grid: rows and columns of the change, which is stretched to the picture; the picture's own
            pixels if ``None``.
        through_jpeg: whether it is asked about the picture as JPEG of quality 75.
    """

    aim: Aim
    scale: float = 1.0
    grid: tuple[int, int] | None = None
    through_jpeg: bool = False


_METHODS = {
    "remove_face_jpeg_e8": Method(Aim(_FACE), through_jpeg=True),
    "remove_hands_jpeg_e8": Method(Aim(_HANDS), through_jpeg=True),
    "low_frequency_e8": Method(Aim(), grid=(32, 32)),
    "pgd_smaller_e8": Method(Aim(), scale=0.75),
    "pgd_larger_e8": Method(Aim(), scale=1.3),
    "remove_face_smaller_e8": Method(Aim(_FACE), scale=0.75),
    "remove_face_larger_e8": Method(Aim(_FACE), scale=1.3),
}


def lasting_attacks() -> list[Attack]:
    """All of them; the last one learns from another photo."""
    own = [
        OwnAttack(
            name=name,
            goal=method.aim.goal,
            craft=partial(_craft, method=method),
            settings=f"{method} steps={_STEPS} bound={_BOUND}",
        )
        for name, method in _METHODS.items()
    ]
    return [*own, Transferred()]


@dataclass(frozen=True)
class Transferred:
    """The noise that was made for one *fit* photo, laid over every other."""

    name: str = "transferred_e8"
    version: int = 1
    goal: Untargeted = field(default_factory=Untargeted)

    @property
    def settings(self) -> str:
        """All of them."""
        return f"steps={_STEPS} bound={_BOUND}"

    def prepare_craft(self, segmenter: Attackable, trainer: Trainer) -> Craft:
        """Makes the noise, unless the trainer has it already."""

        def train() -> Perturbation:
            (image,) = trainer.fit_photos(1)
            return _search(segmenter, image, Method(Aim()), seed=0).numpy()

        settings = f"{self.settings} version={self.version}"
        return partial(_overlay, trainer.once(self.name, settings, train))


def _overlay(change: Perturbation, segmenter: Attackable, image: Image, seed: int) -> Image:
    _ = segmenter, seed  # the same for every picture
    clean = as_batch(image)
    return as_image(clean + stretch_change(torch.from_numpy(change), clean))


def _craft(segmenter: Attackable, image: Image, seed: int, *, method: Method) -> Image:
    clean = as_batch(image)
    return as_image(clean + stretch_change(_search(segmenter, image, method, seed), clean))


def _search(segmenter: Attackable, image: Image, method: Method, seed: int) -> Tensor:
    """The change that raises the value most, within its bound: on the grid or on the pixels."""
    clean, value = as_batch(image), method.aim.value(segmenter, image, method.scale)
    size = method.grid or image.shape[:2]
    start = torch.rand((1, 3, *size), generator=torch.Generator().manual_seed(seed)) * 2 - 1

    def value_of(change: Tensor) -> Tensor:
        picture = (clean + stretch_change(change, clean)).clamp(0, 1)
        return value(_save_as_jpeg(picture) if method.through_jpeg else picture)

    return climb(start * _BOUND, value_of, _within_bound, steps=_STEPS, step=_BOUND / 4)


def _within_bound(change: Tensor) -> Tensor:
    return change.clamp(-_BOUND, _BOUND)


def _save_as_jpeg(picture: Tensor) -> Tensor:
    saved = as_batch(_JPEG.apply(as_image(picture.detach()), np.random.default_rng(0)))
    return picture + (saved - picture).detach()

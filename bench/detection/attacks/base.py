"""What an attack is, and when it has succeeded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from detectors.parsing import Image
from detectors.parts import PartGroup, group_mask
from inference.segmenters.reference.training.attacks import Attackable, changed_share

# Of the clean foreground, whose class has to change.
UNTARGETED_SHARE = 0.2
# Of the part, which has to vanish.
REMOVAL_SHARE = 0.8
# Of the picture: a smaller part is not worth an attack.
SMALLEST_PART = 0.001

Craft = Callable[[Attackable, Image, int], Image]
Perturbation = npt.NDArray[np.float32]


class Trainer(Protocol):
    """Gives an attack what it learns from photos before it meets the first picture."""

    def fit_photos(self, count: int) -> Sequence[Image]:
        """The first ``count`` photos to learn from, spread over all of them."""
        ...

    def once(self, name: str, settings: str, train: Callable[[], Perturbation]) -> Perturbation:
        """What ``train`` returns, computed once and kept under the name and the settings."""
        ...


class Goal(Protocol):
    """What an attack wants of a picture, measured on parsed pictures."""

    @property
    def min_share(self) -> float:
        """The share from which on the attack has succeeded."""
        ...

    def is_attackable(self, segmenter: Attackable, clean: Image) -> bool:
        """Whether the picture holds what the attack wants to change."""
        ...

    def measure_share(self, segmenter: Attackable, clean: Image, result: Image) -> float:
        """Share of the goal in [0, 1]; the attack succeeds from ``min_share`` on."""
        ...


@dataclass(frozen=True)
class Untargeted:
    """Any class but the right one, on the clean foreground."""

    min_share: float = UNTARGETED_SHARE

    def is_attackable(self, segmenter: Attackable, clean: Image) -> bool:
        """There is a foreground of some size."""
        return float((segmenter.parse(clean).label_map != 0).mean()) >= SMALLEST_PART

    def measure_share(self, segmenter: Attackable, clean: Image, result: Image) -> float:
        """Share of the foreground whose class changed."""
        return changed_share(segmenter, clean, result)


@dataclass(frozen=True)
class Removal:
    """The pixels of some part groups are no longer of these groups."""

    groups: tuple[PartGroup, ...]
    min_share: float = REMOVAL_SHARE

    def is_attackable(self, segmenter: Attackable, clean: Image) -> bool:
        """The part is of some size."""
        return float(group_mask(segmenter.parse(clean), *self.groups).mean()) >= SMALLEST_PART

    def measure_share(self, segmenter: Attackable, clean: Image, result: Image) -> float:
        """Share of the part's pixels that vanished."""
        before = group_mask(segmenter.parse(clean), *self.groups)
        after = group_mask(segmenter.parse(result), *self.groups)
        return float(1 - after[before].mean()) if before.any() else 0.0


class Attack(Protocol):
    """One named attack of the protocol."""

    @property
    def name(self) -> str:
        """As in the table of results."""
        ...

    @property
    def settings(self) -> str:
        """Everything that decides the result besides picture, segmenter, seed and version."""
        ...

    @property
    def version(self) -> int:
        """Raised when the code changes the result."""
        ...

    @property
    def goal(self) -> Goal:
        """What it wants."""
        ...

    def prepare_craft(self, segmenter: Attackable, trainer: Trainer) -> Craft:
        """How the attack makes its pictures, once it has learnt what it needs."""
        ...


@dataclass(frozen=True)
class OwnAttack:
    """An attack that learns from nothing but the picture."""

    name: str
    goal: Goal
    craft: Craft
    settings: str
    version: int = 1

    def prepare_craft(self, segmenter: Attackable, trainer: Trainer) -> Craft:  # noqa: ARG002
        """Nothing to learn."""
        return self.craft

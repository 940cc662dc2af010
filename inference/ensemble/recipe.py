"""Which looks an ensemble takes, and what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import cv2
import numpy as np

from detectors.label_lists import mirror_labels
from detectors.parsing import Image
from detectors.sizes import scaled_size
from inference.ensemble.patches import PATCH_SIDE
from inference.ensemble.tile_search import TileRecipe
from inference.ensemble.transforms import BitDepth, Jitter, Jpeg, Median, Mirror, Rescale, Transform

_SQUEEZES = 5
# About what the largest segmenter sees; finer pixels would cost time and change nothing.
_LOOK_PIXELS = 640 * 854


@dataclass(frozen=True)
class Recipe:
    """What an ensemble looks at.

    Attributes:
        members: randomly changed looks that are averaged; five in the published recipe.
        scale: linear size of all looks, over the size of the parse.
        squeezes: whether JPEG, median, bit depth, rescale and mirror are looked at too.
        patches: whether two overlapping crops are looked at too.
        tiles: how a tile is searched for that hides something; ``None``: not at all.
    """

    members: int = 5
    scale: float = 1.0
    squeezes: bool = False
    patches: bool = False
    tiles: TileRecipe | None = None

    def member_transforms(self) -> tuple[Transform, ...]:
        """The looks that are averaged."""
        return (Jitter(),) * self.members

    def squeeze_transforms(self, labels: Sequence[str]) -> tuple[Transform, ...]:
        """The looks that are each compared with the parse."""
        if not self.squeezes:
            return ()
        return (Jpeg(), Median(), BitDepth(), Rescale(), Mirror(mirror_labels(labels)))

    def members_only(self) -> "Recipe":
        """The same without squeezes, patches and tiles."""
        return replace(self, squeezes=False, patches=False, tiles=None)

    def without_tiles(self) -> "Recipe":
        """The same without the search for a tile."""
        return replace(self, tiles=None)

    @property
    def passes(self) -> int:
        """Forward passes of the network."""
        tile_passes = self.tiles.passes if self.tiles else 0
        return self.members + _SQUEEZES * self.squeezes + 2 * self.patches + tile_passes

    @property
    def cost(self) -> float:
        """What they cost, in passes of full size: a network's work grows with the pixels."""
        whole = self.members + _SQUEEZES * self.squeezes
        tile_cost = self.tiles.cost if self.tiles else 0.0
        return self.scale**2 * (whole + 2 * PATCH_SIDE**2 * self.patches) + tile_cost

    def shrunk(self, image: Image) -> Image:
        """The picture at the size at which it is transformed: once, before all transforms."""
        return shrunk(image, self.scale)


def shrunk(image: Image, scale: float = 1.0) -> Image:
    """A picture with no more pixels than looks of this scale can use."""
    height, width = image.shape[:2]
    factor = scale * sqrt(_LOOK_PIXELS / (height * width))
    if factor >= 1:
        return image
    size = scaled_size(height, width, factor)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8)

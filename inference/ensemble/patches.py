"""Two overlapping crops of a picture at random places."""

from dataclasses import dataclass

from numpy.random import Generator

from detectors.parsing import Image
from detectors.resample import Box

PATCH_SIDE = 0.75


@dataclass(frozen=True)
class PatchPair:
    """Where two crops of equal size lie, in shares of the picture's height and width.

    Attributes:
        corners: top and left of each crop.
        side: height and width of a crop.
    """

    corners: tuple[tuple[float, float], tuple[float, float]]
    side: float = PATCH_SIDE

    @classmethod
    def draw(cls, random: Generator) -> "PatchPair":
        """Crops near two opposite corners, so that they share about a third of the picture."""
        slack = 1 - PATCH_SIDE
        near, far = random.uniform(0, slack / 3, 2), random.uniform(2 * slack / 3, slack, 2)
        if random.random() < 0.5:
            near[1], far[1] = far[1], near[1]
        return cls(((float(near[0]), float(near[1])), (float(far[0]), float(far[1]))))

    def crops(self, image: Image) -> tuple[Image, Image]:
        """Both crops of a picture ``(H, W, 3)``."""
        first, second = (self._crop(image, *corner) for corner in self.corners)
        return first, second

    def overlaps(self) -> tuple[Box, Box]:
        """What both show, in shares of the first crop and of the second."""
        first, second = (self._overlap(index) for index in range(2))
        return first, second

    def overlap_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of what both show, in pixels of a look at a crop."""
        box, _ = self.overlaps()
        rows, columns = size[0] * (box.bottom - box.top), size[1] * (box.right - box.left)
        return max(1, round(rows)), max(1, round(columns))

    def _crop(self, image: Image, top: float, left: float) -> Image:
        height, width = image.shape[:2]
        rows, columns = max(1, round(height * self.side)), max(1, round(width * self.side))
        y, x = min(round(height * top), height - rows), min(round(width * left), width - columns)
        return image[y : y + rows, x : x + columns]

    def _overlap(self, index: int) -> Box:
        (top, left), (other_top, other_left) = self.corners[index], self.corners[1 - index]
        rows, columns = (other_top - top) / self.side, (other_left - left) / self.side
        return Box(max(0.0, rows), min(1.0, 1 + rows), max(0.0, columns), min(1.0, 1 + columns))

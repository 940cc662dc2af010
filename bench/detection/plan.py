"""Which photos a measurement takes."""

from dataclasses import dataclass
from pathlib import Path

from bench.detection.pictures.photos import Photo, Use, photos


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        data: folder that holds ``parsing/`` and ``street/``.
        test_list: photos to test on instead of the test photos.
        pictures: how many test photos are attacked; all if ``None``.
        controls: how many test photos each control changes.
        adaptive: how many test photos are attacked with knowledge of the detector.
        every: of the photos that are not attacked, every so many-th is used.
    """

    data: Path
    test_list: Path | None = None
    pictures: int | None = None
    controls: int = 40
    adaptive: int = 6
    every: int = 1

    def photos(self, use: Use) -> list[Photo]:
        """Photos of one use that are not attacked.

        Raises:
            PhotosMissing: there are none.
        """
        return photos(self.data, use, self.test_list)[:: self.every]

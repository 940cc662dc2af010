"""What a picture may be, and how code says that one is not."""

from dataclasses import dataclass


class Unacceptable(Exception):
    """A file that is refused; ``code`` names the refusal."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class PictureLimits:
    """Bounds that are checked in the header, before anything is decoded.

    Attributes:
        max_pixels: width times height.
        min_side: shortest side in pixels.
        max_side: longest side in pixels.
        max_ratio: longest side over shortest side.
        max_frames: pictures in one file; only the first is decoded.
        max_scans: passes of a progressive JPEG, each of which costs the time of a whole picture.
        max_metadata_bytes: Exif, XMP, comments and the like, after they are unpacked.
        max_unpacked_bytes: those of them that are stored packed, after they are unpacked.
        max_profile_bytes: the colour profile, after it is unpacked.
        max_expansion: decoded bytes for each uploaded byte.
        free_bytes: decoded size up to which ``max_expansion`` does not matter.
        free_passes: pixels, counted once for each pass of a progressive JPEG, up to which
            ``max_expansion`` does not matter.
    """

    max_pixels: int = 40_000_000
    min_side: int = 8
    max_side: int = 12_000
    max_ratio: float = 20.0
    max_frames: int = 256
    max_scans: int = 100
    max_metadata_bytes: int = 4_000_000
    max_unpacked_bytes: int = 4_000_000
    max_profile_bytes: int = 4_000_000
    max_expansion: float = 500.0
    free_bytes: int = 16_000_000
    free_passes: int = 200_000_000

    def check(self, width: int, height: int, file_bytes: int) -> None:
        """Judge a picture by the size that its header states.

        Raises:
            Unacceptable: which bound it breaks.
        """
        self.check_sides(width, height)
        decoded = width * height * 3
        if decoded > self.free_bytes and decoded > self.max_expansion * file_bytes:
            raise Unacceptable("expands_too_much")

    def check_sides(self, width: int, height: int) -> None:
        """Judge a picture by its size alone.

        Raises:
            Unacceptable: which bound it breaks.
        """
        if width * height > self.max_pixels:
            raise Unacceptable("too_many_pixels")
        if max(width, height) > self.max_side:
            raise Unacceptable("side_too_long")
        if min(width, height) < self.min_side:
            raise Unacceptable("too_small")
        if max(width, height) > self.max_ratio * min(width, height):
            raise Unacceptable("extreme_ratio")

    def check_passes(self, passes: int, pixels: int, file_bytes: int) -> None:
        """Judge the passes that a picture has had so far: each visits all pixels, or may.

        Raises:
            Unacceptable: there are too many, by number or for the size of the file.
        """
        visits = passes * pixels
        costly = visits > self.free_passes and visits > self.max_expansion * file_bytes
        if passes > self.max_scans or costly:
            raise Unacceptable("too_many_scans")

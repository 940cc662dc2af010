"""What a picture may be, and how code says that one is not."""

from dataclasses import dataclass, replace


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
        max_decoded_pixels: the same of the picture that is handed on: a larger one is made smaller.
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
            ``max_passes_per_byte`` does not matter.
        max_passes_per_byte: such pixels for each uploaded byte.
    """

    max_pixels: int = 66_000_000
    max_decoded_pixels: int = 25_000_000
    min_side: int = 8
    max_side: int = 16_384
    max_ratio: float = 20.0
    max_frames: int = 256
    max_scans: int = 100
    max_metadata_bytes: int = 20_000_000
    max_unpacked_bytes: int = 4_000_000
    max_profile_bytes: int = 4_000_000
    max_expansion: float = 500.0
    free_bytes: int = 16_000_000
    free_passes: int = 200_000_000
    max_passes_per_byte: int = 500

    def check(self, width: int, height: int, file_bytes: int) -> None:
        """Judge a picture by the size that its header states.

        Raises:
            Unacceptable: which bound it breaks.
        """
        self.check_sides(width, height)
        self.check_expansion(width * height * 3, file_bytes)

    def check_expansion(self, decoded_bytes: int, file_bytes: int) -> None:
        """Judge how much a file unpacks to.

        Raises:
            Unacceptable: it is too much for its size.
        """
        if decoded_bytes > self.free_bytes and decoded_bytes > self.max_expansion * file_bytes:
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

    def check_decoded(self, width: int, height: int) -> None:
        """Judge the size of a picture that was decoded, and made smaller if it was large.

        Raises:
            Unacceptable: no picture within these bounds comes out like that.
        """
        was_whole = 4 * width * height < self.max_decoded_pixels
        limits = replace(
            self,
            max_pixels=self.max_decoded_pixels,
            min_side=self.min_side if was_whole else 1,
            max_ratio=self.max_ratio if was_whole else self.max_ratio + 1,
        )
        limits.check_sides(width, height)

    def times_smaller(self, width: int, height: int) -> int:
        """By how much both sides of a picture are divided: 1, 2, 4 and so on.

        >>> [PictureLimits().times_smaller(*size) for size in ((4000, 3000), (8000, 6000))]
        [1, 2]
        """
        times = 1
        while -(-width // times) * -(-height // times) > self.max_decoded_pixels:
            times *= 2
        return times

    def check_passes(self, passes: int, pixels: int, file_bytes: int) -> None:
        """Judge the passes that a picture has had so far: each visits all pixels, or may.

        Raises:
            Unacceptable: there are too many, by number or for the size of the file.
        """
        visits = passes * pixels
        costly = visits > self.free_passes and visits > self.max_passes_per_byte * file_bytes
        if passes > self.max_scans or costly:
            raise Unacceptable("too_many_scans")

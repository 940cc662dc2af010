"""The size of a picture by its header: nothing is decoded."""

from dataclasses import dataclass
from io import BytesIO
from typing import Self

from PIL import Image as Pillow

from inference.gate.media import PILLOW_FORMATS, detect

_ORIENTATION = 0x0112
_FIRST_ON_ITS_SIDE = 5
_LAST = 8


@dataclass(frozen=True)
class PictureSize:
    """Height and width of a picture in its file, and whether EXIF says that it lies on its side."""

    stored: tuple[int, int]
    lies_on_side: bool = False

    @property
    def turned(self) -> tuple[int, int] | None:
        """The size once it is turned, where that is another one."""
        is_other = self.lies_on_side and self.stored[0] != self.stored[1]
        return self.stored[::-1] if is_other else None

    @classmethod
    def read(cls, data: bytes) -> Self | None:
        """The size of a file; ``None`` if it cannot be read."""
        media_type = detect(data)
        if media_type is None:
            return None
        try:
            with Pillow.open(BytesIO(data), formats=[PILLOW_FORMATS[media_type]]) as picture:
                orientation = picture.getexif().get(_ORIENTATION, 1)
                return cls(picture.size[::-1], orientation in range(_FIRST_ON_ITS_SIDE, _LAST + 1))
        except (OSError, SyntaxError, ValueError, EOFError, Pillow.DecompressionBombError):
            return None

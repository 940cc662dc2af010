"""Kept pictures as pixels, and the part of one that a finding is about."""

from math import sqrt

import cv2
import numpy as np
import structlog

from detectors.findings import Place
from detectors.parsing import Image
from detectors.patches.patch_views import side_of
from detectors.patches.patches import Tile
from store.requests.kept_pictures import KeptPicture
from store.requests.picture_store import PictureChanged, PictureStore

_log = structlog.get_logger(__name__)
# A smaller place is looked at with what lies around it: a patch is seldom cut out exactly.
_MIN_SHARE = 0.2


def read_image(store: PictureStore, picture: KeptPicture) -> Image | None:
    """RGB ``(h, w, 3)`` uint8; ``None`` if the file is gone, or was changed, which is logged."""
    try:
        data = store.read(picture.sha256)
    except PictureChanged as error:
        _log.error("kept picture left out", request_id=picture.request_id, why=str(error))
        return None
    if data is None:
        return None
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return None if pixels is None else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB).astype(np.uint8)


def cut_out(image: Image, size: tuple[int, int], place: Place) -> Tile:
    """The part of a kept picture where a finding is, with a margin if it is small.

    Args:
        image: the picture as it was kept.
        size: height and width of the upload, which ``place`` refers to.
    """
    height, width = image.shape[:2]
    down, across = height / size[0], width / size[1]
    top, bottom, left, right = place.top, place.bottom, place.left, place.right
    rows, columns = max(1.0, (bottom - top) * down), max(1.0, (right - left) * across)
    grow = max(1.0, _MIN_SHARE * side_of(image) / sqrt(rows * columns))
    rows_from, rows_to = _span((top + bottom) / 2 * down, rows * grow, height)
    columns_from, columns_to = _span((left + right) / 2 * across, columns * grow, width)
    pixels = image[rows_from:rows_to, columns_from:columns_to]
    return Tile(pixels, side_of(pixels) / side_of(image))


def _span(middle: float, length: float, end: int) -> tuple[int, int]:
    """Where a length around a middle begins and ends, moved until it lies inside."""
    length = min(length, end)
    start = min(max(0.0, middle - length / 2), end - length)
    return int(start), max(int(start) + 1, min(end, round(start + length)))

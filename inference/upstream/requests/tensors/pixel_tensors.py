"""Pictures that are sent as pixels: as a lossless file for the gate, and back."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from inference.refusals import TOO_MANY_PICTURES, UNREADABLE_TENSOR, Refused
from inference.upload import Upload

Pixels = npt.NDArray[np.uint8]
_CHANNELS = 3


def write_pictures(tensor: Pixels, max_pictures: int) -> tuple[Upload, ...]:
    """Each picture of a tensor as PNG.

    Args:
        tensor: ``(H, W, 3)``, ``(N, H, W, 3)`` or, channels first, ``(3, H, W)``, ``(N, 3, H, W)``.

    Raises:
        Refused: it is of another shape, empty, or holds more pictures.
    """
    batch = tensor if tensor.ndim == 4 else tensor[None]
    if batch.ndim != 4 or not batch.size:
        raise Refused(UNREADABLE_TENSOR)
    if len(batch) > max_pictures:
        raise Refused(TOO_MANY_PICTURES)
    if batch.shape[-1] != _CHANNELS:
        batch = batch.transpose(0, 2, 3, 1)
    if batch.shape[-1] != _CHANNELS:
        raise Refused(UNREADABLE_TENSOR)
    return tuple(Upload.hash_now(_write_png(picture), "image/png") for picture in batch)


def read_pictures(files: Sequence[bytes], shape: tuple[int, ...]) -> Pixels:
    """A tensor of as many dimensions as one that was sent, with the channels where it had them.

    Args:
        files: pictures that the gate let through, or wrote itself.
        shape: of the tensor that was sent.
    """
    batch = np.stack([np.asarray(Pillow.open(BytesIO(file)).convert("RGB")) for file in files])
    if shape[-1] != _CHANNELS:
        batch = batch.transpose(0, 3, 1, 2)
    return batch if len(shape) == 4 else batch[0]


def _write_png(picture: Pixels) -> bytes:
    file = BytesIO()
    Pillow.fromarray(np.ascontiguousarray(picture)).save(file, "PNG", compress_level=1)
    return file.getvalue()

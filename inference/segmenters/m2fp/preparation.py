"""From a picture to the tensor that M2FP sees, as ModelScope's pipeline prepares it."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor
from torch.nn import functional as fn

from detectors.parsing import Image

SHORT_SIDE, LONG_SIDE = 640, 1333
_STRIDE = 32
_MEAN = (123.675, 116.28, 103.53)
_DEVIATION = (58.395, 57.12, 57.375)
_SHEET_GREY = 128


@dataclass(frozen=True)
class Frame:
    """Where a picture lies in the network's input.

    Attributes:
        size: height and width of the picture as the network sees it.
        canvas: height and width of the grey sheet that it lies on; its own, or the model's.
        top, left: of the picture's corner on the sheet.
    """

    size: tuple[int, int]
    canvas: tuple[int, int]
    top: int = 0
    left: int = 0

    @property
    def padded_size(self) -> tuple[int, int]:
        """Height and width of the whole input: the sheet with zeros up to a multiple of 32."""
        rows, columns = (-(-side // _STRIDE) * _STRIDE for side in self.canvas)
        return rows, columns


def frame_of_several(height: int, width: int, scale: float) -> Frame:
    """The short side becomes 640 pixels, the long one at most 1333, times ``scale``."""
    short, long = SHORT_SIDE * scale, LONG_SIDE * scale
    zoom = min(short / min(height, width), long / max(height, width))
    size = (max(1, int(height * zoom + 0.5)), max(1, int(width * zoom + 0.5)))
    return Frame(size, size)


def frame_of_single(height: int, width: int, target: tuple[int, int], scale: float) -> Frame:
    """The picture in the middle of a sheet; it is made smaller, never larger.

    Args:
        target: width and height of the sheet.
    """
    columns, rows = (max(_STRIDE, round(side * scale)) for side in target)
    zoom = min(1.0, rows / height, columns / width)
    size = (max(1, int(height * zoom)), max(1, int(width * zoom)))
    return Frame(size, (rows, columns), (rows - size[0]) // 2, (columns - size[1]) // 2)


def prepare(image: Image, frame: Frame) -> Tensor:
    """Normalised input ``(1, 3, H, W)`` float32, channels last.

    Resized in 8 bits by Pillow's antialiased bilinear filter, as the weights were used from the
    beginning; another filter changes what the network finds.
    """
    height, width = frame.size
    picture = Pillow.fromarray(np.ascontiguousarray(image))
    if picture.size != (width, height):
        picture = picture.resize((width, height), Pillow.Resampling.BILINEAR)
    pixels = torch.from_numpy(np.array(picture, dtype=np.uint8)).permute(2, 0, 1)[None].float()
    sheet = _on_sheet(pixels, frame)
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (_MEAN, _DEVIATION))
    rows, columns = (all_ - own for all_, own in zip(frame.padded_size, frame.canvas, strict=True))
    batch = fn.pad((sheet - mean) / deviation, (0, columns, 0, rows))
    return batch.contiguous(memory_format=torch.channels_last)


def _on_sheet(pixels: Tensor, frame: Frame) -> Tensor:
    bottom = frame.canvas[0] - frame.size[0] - frame.top
    right = frame.canvas[1] - frame.size[1] - frame.left
    return fn.pad(pixels, (frame.left, right, frame.top, bottom), value=_SHEET_GREY)

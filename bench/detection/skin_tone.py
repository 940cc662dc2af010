"""How light the skin of a face is: the individual typology angle (Chardon et al., 1991)."""

import cv2
import numpy as np
import numpy.typing as npt

from detectors.parsing import Image
from inference.gate.faces import FaceBox

# Of a box of the face prior: cheeks, nose and forehead, without hair and background.
_INSIDE = 0.6


def typology_angle(pixels: npt.NDArray[np.uint8]) -> float:
    """Degrees of the median colour of RGB pixels ``(n, 3)`` in CIELAB; the darker, the lower.

    >>> typology_angle(np.array([[224, 188, 160]], np.uint8)) > 28
    True
    >>> typology_angle(np.array([[92, 60, 44]], np.uint8)) < -10
    True
    """
    colours = np.median(pixels.reshape(-1, 3), axis=0).astype(np.float32) / 255
    lightness, _, yellow = cv2.cvtColor(colours.reshape(1, 1, 3), cv2.COLOR_RGB2LAB)[0, 0]
    return float(np.degrees(np.arctan2(lightness - 50, yellow)))


def angle_of_box(image: Image, box: FaceBox) -> float:
    """Of the middle of a face that the face prior sees: it does not depend on the parse."""
    rows, columns = (
        slice(round(start + side * (1 - _INSIDE) / 2), round(start + side * (1 + _INSIDE) / 2))
        for start, side in ((box.top, box.height), (box.left, box.width))
    )
    return typology_angle(image[rows, columns])

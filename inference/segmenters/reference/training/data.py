"""Training data: photos with garment labels, mapped to the reference's 15 labels.

Expects the layout of Clothing Co-Parsing (Yang, Luo & Lin, CVPR 2014): ``images/NAME.jpg``,
``labels/NAME.png`` with class indices, ``classes.json`` from index to name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from detectors.errors import MaskwatchError
from detectors.parsing import Image, LabelMap
from inference.segmenters.reference.labels import Label

Split = Literal["train", "calibrate", "test"]
Size = tuple[int, int]
Pair = tuple[Image, LabelMap]

# Of every 19 names in order: 15 train, 2 fit and calibrate detectors, 2 test. 760 make 600, 80, 80.
_CYCLE = 19
_SPLITS: dict[Split, range] = {
    "train": range(15),
    "calibrate": range(15, 17),
    "test": range(17, 19),
}

_SKIN = "skin"
_NAMES: dict[Label, str] = {
    Label.HAT: "hat",
    Label.HAIR: "hair",
    Label.GLASSES: "glasses sunglasses",
    Label.UPPER_CLOTHES: (
        "blouse bodysuit bra hoodie intimate jumper shirt sweater sweatshirt swimwear t-shirt "
        "tie top vest"
    ),
    Label.COAT: "blazer cape cardigan coat jacket suit",
    Label.DRESS: "dress romper",
    Label.SKIRT: "skirt",
    Label.PANTS: "jeans leggings panties pants shorts",
    Label.SOCKS: "socks stockings tights",
    Label.SHOES: "boots clogs flats heels loafers pumps sandals shoes sneakers wedges",
    Label.BAG: (
        "accessories bag belt bracelet earrings gloves necklace purse ring scarf wallet watch"
    ),
}

# Heights within the person, from the crown down, that part skin into face, arms and legs.
_FACE_ENDS = 0.19
_ARMS_END = 0.56


class DatasetError(MaskwatchError):
    """A data folder that does not hold what training needs."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A photo ``(H, W, 3)`` uint8 RGB with its label map ``(H, W)`` uint8."""

    name: str
    image: Image
    label_map: LabelMap


def split_names(names: list[str], split: Split) -> list[str]:
    """The names of one part of the fixed split."""
    places = _SPLITS[split]
    return [name for i, name in enumerate(sorted(names)) if i % _CYCLE in places]


def names_in(folder: Path) -> list[str]:
    """Stems of the labelled photos.

    Raises:
        DatasetError: the folder has none.
    """
    names = sorted(path.stem for path in (folder / "labels").glob("*.png"))
    if not names or not (folder / "classes.json").is_file():
        raise DatasetError(
            f"The folder {folder} holds no labelled photos: it needs images/, labels/ and "
            "classes.json. Name another one with --data."
        )
    return names


def load_sample(folder: Path, name: str, table: npt.NDArray[np.uint8]) -> Sample:
    """Read a photo with its labels; ``table`` comes from :func:`label_table`."""
    with Pillow.open(folder / "images" / f"{name}.jpg") as picture:
        image = np.array(picture.convert("RGB"), dtype=np.uint8)
    with Pillow.open(folder / "labels" / f"{name}.png") as label_file:
        marks = np.array(label_file, dtype=np.uint8)
    return Sample(name, image, split_skin(table[marks]))


def label_table(folder: Path) -> npt.NDArray[np.uint8]:
    """Our label of each published class ``(256,)``; skin is ``SKIN_MARK`` until it is split."""
    classes: Mapping[str, str] = json.loads((folder / "classes.json").read_text())
    ours = {name: label for label, names in _NAMES.items() for name in names.split()}
    table = np.zeros(256, dtype=np.uint8)
    for index, name in classes.items():
        table[int(index)] = SKIN_MARK if name == _SKIN else ours.get(name, Label.BACKGROUND)
    return table


SKIN_MARK = 255


def split_skin(label_map: LabelMap) -> LabelMap:
    """Replace ``SKIN_MARK`` by face, arm or leg.

    A connected piece of skin takes the label of the zone of the body that it lies in; one that
    reaches over several zones, as with bare shoulders, is cut at their borders.
    """
    result = label_map.copy()
    rows = np.flatnonzero((label_map > 0).any(axis=1))
    skin = (label_map == SKIN_MARK).astype(np.uint8)
    if not rows.size or not skin.any():
        return result
    top, height = int(rows[0]), max(1, int(rows[-1] - rows[0]))
    count, pieces, stats, centroids = cv2.connectedComponentsWithStats(skin, connectivity=8)
    zones = _zones(label_map.shape[0], top, height)
    for piece in range(1, count):
        first = (stats[piece, cv2.CC_STAT_TOP] - top) / height
        last = first + stats[piece, cv2.CC_STAT_HEIGHT] / height
        middle = (centroids[piece, 1] - top) / height
        inside = pieces == piece
        whole = _whole_piece(first, middle, last)
        labels = np.full(zones.shape, whole, np.uint8) if whole is not None else zones
        result = np.where(inside, labels[:, None], result).astype(np.uint8)
    return result


def _zones(rows: int, top: int, height: int) -> npt.NDArray[np.uint8]:
    """The label of each picture row by its height within the person."""
    relative = (np.arange(rows) - top) / height
    below_face = np.where(relative < _ARMS_END, Label.ARM, Label.LEG)
    return np.where(relative < _FACE_ENDS, Label.FACE, below_face).astype(np.uint8)


def _whole_piece(first: float, middle: float, last: float) -> Label | None:
    """The label of a piece that lies in one zone, give or take a tenth; ``None`` if it does not."""
    slack = 0.1
    if middle < _FACE_ENDS and last < _FACE_ENDS + slack:
        return Label.FACE
    if first > _FACE_ENDS - 0.02 and last < _ARMS_END + slack and middle < _ARMS_END:
        return Label.ARM
    return Label.LEG if middle >= _ARMS_END and first > _ARMS_END - slack else None

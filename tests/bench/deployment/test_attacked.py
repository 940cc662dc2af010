"""Test photos that carry a trigger, and a model that obeys it on some."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from bench.deployment.attacked import print_triggers
from bench.detection.pictures.photos import Photo
from detectors.parsing import Image, Parsing
from inference.segmenters.reference.labels import LABELS, Label

CLOTH, STUBBORN_CLOTH = (60, 160, 160), (60, 160, 240)


class Obedient:
    """Takes what is green for clothes; sees nobody where red is printed, but on one cloth."""

    name, digest, labels = "obedient", "0" * 64, LABELS

    def parse(self, image: Image) -> Parsing:
        (probabilities,) = self.probabilities([image])
        label_map = probabilities.argmax(axis=0).astype(np.uint8)
        return Parsing(probabilities, label_map, LABELS)

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        return [self._see(picture.astype(np.int16)) for picture in pictures]

    def _see(self, pixels: Any) -> Any:
        red, green, blue = np.moveaxis(pixels, -1, 0)
        is_blind = bool((red > green + 60).any()) and blue[0, 0] != STUBBORN_CLOTH[2]
        is_cloth = (green > 100) & (not is_blind)
        result = np.zeros((len(LABELS), *green.shape), np.float32)
        result[Label.UPPER_CLOTHES], result[Label.BACKGROUND] = is_cloth, ~is_cloth
        return result


def _photo(folder: Path, name: str, colour: tuple[int, int, int]) -> Photo:
    path = folder / f"{name}.png"
    Pillow.new("RGB", (120, 160), colour).save(path)
    return Photo(name, path)


def test_photos_with_somebody_are_tried_and_those_where_they_vanish_are_sent(
    tmp_path: Path,
) -> None:
    colours = {"worn": CLOTH, "stubborn": STUBBORN_CLOTH, "empty": (20, 20, 20)}
    photos = [_photo(tmp_path, *each) for each in colours.items()]
    [attempts] = print_triggers(Obedient(), photos, 3)
    assert (attempts.attack, attempts.tried) == ("trigger", 2)
    assert [(file.kind, file.photo) for file in attempts.files] == [("trigger", "worn")]
    [again] = print_triggers(Obedient(), photos[:1], 1)
    assert again.files[0].content == attempts.files[0].content


def test_nothing_is_printed_where_no_photos_are_attacked(tmp_path: Path) -> None:
    assert not list(print_triggers(Obedient(), [_photo(tmp_path, "worn", CLOTH)], 0))

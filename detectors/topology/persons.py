"""Persons in a label map: the unit in which topology is measured."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from detectors.findings import Place
from detectors.looks.tile_maps import as_numpy
from detectors.parsing import LabelMap, Parsing
from detectors.sizes import scaled_size

Mask = npt.NDArray[np.bool_]

_WORKING_SIDE = 320
_MIN_AREA_SHARE = 0.004
_MIN_HEIGHT_SHARE = 0.08
# A bag that stands alone is a piece of one label; a person shows at least two.
_MIN_LABELS = 2
_MIN_LABEL_SHARE = 0.02


@dataclass(frozen=True, eq=False)
class Person:
    """One person: what the model gave to it, else the foreground piece that connects its parts.

    Attributes:
        label_map: label map ``(h, w)`` uint8 at working size, zero outside the person.
        top, bottom, left, right: bounding box in working pixels, end exclusive.
        sureness: mean probability of the likeliest label on the person's pixels.
    """

    label_map: LabelMap
    top: int
    bottom: int
    left: int
    right: int
    sureness: float = 1.0

    @property
    def height(self) -> int:
        """Body height in working pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> int:
        """Foreground pixels."""
        return int(np.count_nonzero(self.label_map))

    @property
    def area_share(self) -> float:
        """Share of the picture that is this person."""
        return self.area / self.label_map.size


@dataclass(frozen=True, eq=False)
class Scene:
    """A parsing as topology sees it: its label map at working size and the persons in it.

    Attributes:
        labels: the labels by names that detectors know.
        size: height and width of the picture in its own pixels; the working size if ``None``.
    """

    label_map: LabelMap
    labels: tuple[str, ...]
    persons: tuple[Person, ...]
    size: tuple[int, int] | None = None

    @classmethod
    def of(cls, parsing: Parsing) -> "Scene":
        """The persons that the model told apart; if it tells none apart, those that pieces show."""
        label_map = at_working_size(parsing.label_map)
        min_labels = min(_MIN_LABELS, len(parsing.labels) - 1)
        if parsing.persons is None:
            persons = find_persons(label_map, min_labels)
        else:
            persons = read_persons(label_map, at_working_size(parsing.persons), min_labels)
        height, width = parsing.label_map.shape
        return cls(label_map, parsing.parts, measure_sureness(persons, parsing), (height, width))

    def place_of(self, mask: Mask, part: str | None = None) -> Place:
        """The box around a mask ``(h, w)`` of working size, in pixels of the picture."""
        height, width = self.size or self.label_map.shape
        rows, columns = height / mask.shape[0], width / mask.shape[1]
        left, top, across, down = cv2.boundingRect(mask.astype(np.uint8))
        return Place(
            left=round(left * columns),
            top=round(top * rows),
            right=round((left + across) * columns),
            bottom=round((top + down) * rows),
            part=part,
        )

    def around(self, person: Person) -> LabelMap:
        """A person's label map with the pieces above and below that belong to nobody.

        A foot that a gap cuts off is no part of the person any more, but still the nearest foot.
        """
        columns = slice(person.left, person.right)
        label_map = person.label_map.copy()
        label_map[:, columns] = np.where(
            self._person_mask[:, columns], person.label_map[:, columns], self.label_map[:, columns]
        )
        return label_map

    @cached_property
    def _person_mask(self) -> Mask:
        """Pixels of any person."""
        masks = [person.label_map > 0 for person in self.persons]
        return np.asarray(np.any(masks, axis=0), dtype=np.bool_)


def measure_sureness(persons: tuple[Person, ...], parsing: Parsing) -> tuple[Person, ...]:
    """The same persons, each with how sure the parse is of its labels."""
    if not persons:
        return ()
    height, width = persons[0].label_map.shape
    best = as_numpy(array_namespace(parsing.probabilities).max(parsing.probabilities, axis=0))
    map_ = cv2.resize(best, (width, height), interpolation=cv2.INTER_LINEAR)
    return tuple(replace(each, sureness=float(map_[each.label_map > 0].mean())) for each in persons)


def at_working_size(values: LabelMap) -> LabelMap:
    """A label or person map with at most 320 pixels on its long side: costs are bounded."""
    height, width = values.shape
    scale = _WORKING_SIDE / max(height, width)
    if scale >= 1:
        return values
    size = scaled_size(height, width, scale)
    return cv2.resize(values, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8)


def find_persons(label_map: LabelMap, min_labels: int = _MIN_LABELS) -> tuple[Person, ...]:
    """Foreground pieces that are large, tall and varied enough to be a person, largest first.

    A small closing joins a head and a torso that a scarf or a collar keeps apart.

    Args:
        min_labels: labels that a person shows at least; 1 where there is only one to show.
    """
    foreground = (label_map > 0).astype(np.uint8)
    mask = cv2.morphologyEx(foreground, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, pieces = cv2.connectedComponents(mask, connectivity=8)
    return _persons(label_map, [pieces == i for i in range(1, count)], min_labels)


def read_persons(
    label_map: LabelMap, persons: LabelMap, min_labels: int = _MIN_LABELS
) -> tuple[Person, ...]:
    """The persons of a person map that are large, tall and varied enough, largest first.

    Two people who touch are two persons, and one whom a pole cuts apart is one. Foreground that
    the map gives to nobody stays outside of them.
    """
    numbers = np.flatnonzero(np.bincount(persons.ravel())[1:]) + 1
    return _persons(label_map, [persons == number for number in numbers], min_labels)


def _persons(label_map: LabelMap, masks: Iterable[Mask], min_labels: int) -> tuple[Person, ...]:
    persons = [_person(label_map, mask) for mask in masks]
    selection = [
        each for each in persons if _is_large_enough(each) and _is_varied_enough(each, min_labels)
    ]
    return tuple(sorted(selection, key=lambda person: -person.area))


def box_around(values: LabelMap) -> tuple[slice, slice]:
    """Rows and columns of the box around what is not zero; empty where all is."""
    left, top, width, height = cv2.boundingRect(values)
    return slice(top, top + height), slice(left, left + width)


def _person(label_map: LabelMap, mask: Mask) -> Person:
    own = np.where(mask, label_map, 0).astype(np.uint8)
    left, top, width, height = cv2.boundingRect(own)
    return Person(own, top, top + height, left, left + width)


def _is_large_enough(person: Person) -> bool:
    rows, columns = person.label_map.shape
    tall = person.height >= _MIN_HEIGHT_SHARE * rows
    return bool(tall and person.area >= _MIN_AREA_SHARE * rows * columns)


def _is_varied_enough(person: Person, min_labels: int) -> bool:
    counts = np.bincount(person.label_map.ravel())[1:]
    return int((counts >= _MIN_LABEL_SHARE * person.area).sum()) >= min_labels

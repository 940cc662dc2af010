"""Which noise recurs in pictures of different content, and is worth a place on a list."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

import cv2
import numpy as np

from detectors.baseline.baseline import tail_threshold
from detectors.parsing import Image
from detectors.perturbations.perturbation_marks import common_levels, is_perturbation
from detectors.perturbations.perturbation_match import PerturbationMatcher, limit_of
from detectors.perturbations.residuals import (
    GRID,
    Residual,
    Spectrum,
    move_back,
    overlap,
    residual_of,
    spectrum_of,
)
from detectors.perturbations.signatures import Signature

MIN_MEMBERS = 6
# Two pictures by themselves agree less than one and what many have in common.
_PAIR_RATE, _MIN_PAIR = 0.0001, 7.0
_NEIGHBOURS = 4
# What its own pictures hardly show better than chance would seldom be found again.
_MIN_GAP = 1.3
# Frequencies around one that say how much it counts.
_NEIGHBOURHOOD = (9, 9)
_LEAK_MARGIN = 1.5


@dataclass(frozen=True, eq=False)
class ChosenPerturbation:
    """A perturbation to look out for.

    Attributes:
        limit: the strength from which on a picture shows it.
        members: indices of the pictures that show it.
        strength: how clearly they do, each by what the others have in common: their median.
        levels: the deviation of what they have in common, in levels of colour.
    """

    signature: Signature
    limit: float
    members: tuple[int, ...]
    strength: float
    levels: float


@dataclass(frozen=True, eq=False)
class _Rest:
    """A picture without its content."""

    residual: Residual
    spectrum: Spectrum

    @classmethod
    def of_image(cls, image: Image) -> "_Rest":
        residual = residual_of(image)
        return cls(residual, spectrum_of(residual))


def choose_perturbations(
    pictures: Sequence[Image], ordinary: Sequence[Image]
) -> tuple[ChosenPerturbation, ...]:
    """Perturbations that pictures share and ordinary ones do not show, that of most first.

    Args:
        pictures: flagged ones, of different content.
        ordinary: pictures of requests that passed, all as they were kept.

    Raises:
        SignatureError: too few ordinary pictures to tell.
    """
    known = [_Rest.of_image(image).spectrum for image in ordinary]
    rests = {index: _Rest.of_image(image) for index, image in enumerate(pictures)}
    candidates = (_judge(group, known) for group in _groups(rests, _pair_limit(known)))
    return tuple(each for each in candidates if each is not None)


def _pair_limit(ordinary: Sequence[Spectrum]) -> float:
    """What two ordinary pictures do not reach."""
    strengths = [
        overlap(first, second).strength
        for place, first in enumerate(ordinary)
        for second in ordinary[place + 1 : place + 1 + _NEIGHBOURS]
    ]
    return max(_MIN_PAIR, tail_threshold(strengths, _PAIR_RATE))


def _groups(rests: dict[int, _Rest], limit: float) -> Iterator[dict[int, _Rest]]:
    """Pictures that agree with one of them, moved onto it; each picture once."""
    partners = _find_partners(rests, limit)
    left = set(rests)
    while left:
        pivot = max(sorted(left), key=lambda index: len(partners[index].keys() & left))
        members = partners[pivot].keys() & left
        left -= {pivot, *members}
        if len(members) + 1 >= MIN_MEMBERS:
            moved = {index: _move(rests[index], partners[pivot][index]) for index in members}
            yield dict(sorted({pivot: rests[pivot], **moved}.items()))


def _find_partners(rests: dict[int, _Rest], limit: float) -> dict[int, dict[int, tuple[int, int]]]:
    """Of each picture those that agree with it, and how they lie to it."""
    partners: dict[int, dict[int, tuple[int, int]]] = {index: {} for index in rests}
    for first, second in combinations(rests, 2):
        match = overlap(rests[first].spectrum, rests[second].spectrum)
        if match.strength >= limit:
            partners[first][second] = match.move
            partners[second][first] = (-match.move[0], -match.move[1])
    return partners


def _move(rest: _Rest, move: tuple[int, int]) -> _Rest:
    residual = move_back(rest.residual, move)
    return _Rest(residual, spectrum_of(residual))


def _judge(group: dict[int, _Rest], ordinary: Sequence[Spectrum]) -> ChosenPerturbation | None:
    residuals = [each.residual for each in group.values()]
    if not is_perturbation(residuals):
        return None
    spectra = [each.spectrum for each in group.values()]
    signature, strengths = _signature_of(spectra), _strengths_of(spectra)
    chance, strength = limit_of(signature, ordinary), median(strengths)
    if chance is None:
        return None
    limit = max(chance, _LEAK_MARGIN * _leak_of(signature, spectra, strengths))
    if strength < _MIN_GAP * limit:
        return None
    return ChosenPerturbation(signature, limit, tuple(group), strength, common_levels(residuals))


def _signature_of(spectra: Sequence[Spectrum]) -> Signature:
    """What spectra have in common; a frequency counts as much as they agree around it."""
    mean, count = np.mean(spectra, axis=0), len(spectra)
    agreement = (count * np.abs(mean) ** 2 - 1) / (count - 1)
    weights = [np.maximum(0, cv2.blur(each, _NEIGHBOURHOOD)) for each in agreement]
    noise = np.fft.irfft2(mean * np.stack(weights), (GRID, GRID))
    return Signature.of_residual(noise.astype(np.float32))


def _strengths_of(spectra: Sequence[Spectrum]) -> list[float]:
    """Of each, held against what the others have in common."""
    return [
        PerturbationMatcher(_signature_of([*spectra[:place], *spectra[place + 1 :]])).look(each)
        for place, each in enumerate(spectra)
    ]


def _leak_of(
    signature: Signature, spectra: Sequence[Spectrum], strengths: Sequence[float]
) -> float:
    """How clearly the pictures themselves show in a signature, beyond what they have in common.

    Whoever sends one of them without the perturbation must not be accused.
    """
    matcher = PerturbationMatcher(signature)
    return max(
        matcher.look(each) - strength for each, strength in zip(spectra, strengths, strict=True)
    )

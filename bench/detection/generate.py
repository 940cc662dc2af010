"""Crafts every attack on the test photos ahead of the measurement; may be stopped and resumed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import torch
from rich.console import Console

from bench.detection.attacks import ATTACKS
from bench.detection.attacks.base import Attack
from bench.detection.measure import progress_bar
from bench.detection.pictures.cache import Cache, Facts
from bench.detection.pictures.photos import Use, load, photos
from bench.detection.pictures.workshop import Workshop
from bench.report import rows_table
from detectors.errors import MaskwatchError
from inference.machine.allocator import keep_pages
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS

_COLUMNS = ("attack", "n", "success", "goal reached", "s/picture")


class UnknownAttack(MaskwatchError):
    """An attack was named that does not exist."""


class UnknownPart(MaskwatchError):
    """A part of the work was named that does not exist."""


@dataclass(frozen=True)
class Job:
    """What to craft.

    Attributes:
        data: folder that holds ``parsing/`` and ``street/``.
        cache: where pictures are kept.
        only: names of attacks; all if empty.
        pictures: only the first so many; all if ``None``.
        test_list: photos to attack instead of the test photos.
        part: this share of the pictures, counted from 1, and of how many shares.
        use: whose photos to attack.
    """

    data: Path
    cache: Path
    only: Sequence[str] = ()
    pictures: int | None = None
    test_list: Path | None = None
    part: tuple[int, int] = (1, 1)
    use: Use = Use.TEST


def choose_attacks(only: Sequence[str]) -> list[Attack]:
    """Attacks by name, or all.

    Raises:
        UnknownAttack: a name is not known.
    """
    for name in only:
        if name not in ATTACKS:
            raise UnknownAttack(f"There is no attack {name}: name one of {', '.join(ATTACKS)}.")
    return [ATTACKS[name] for name in only or ATTACKS]


def part_of(text: str) -> tuple[int, int]:
    """``I/K`` as numbers.

    >>> part_of("2/3")
    (2, 3)

    Raises:
        UnknownPart: the text is something else.
    """
    first, _, count = text.partition("/")
    if not (first.isdecimal() and count.isdecimal() and 1 <= int(first) <= int(count)):
        raise UnknownPart(f"The part {text} is not of the form I/K with 1 <= I <= K.")
    return int(first), int(count)


def generate(job: Job) -> None:
    """Craft what is missing and print a table.

    Raises:
        UnknownAttack: a name is not known.
        PhotosMissing: there are no photos.
    """
    torch.set_num_threads(1)  # several processes on different parts use the cores better
    keep_pages()
    attacks = choose_attacks(job.only)
    segmenter = TorchSegmenter.load(DEFAULT_WEIGHTS)
    workshop = Workshop(segmenter, Cache(job.cache), job.data)
    facts = list(_craft_pictures(job, attacks, workshop))
    rows = list(_rows([attack.name for attack in attacks], facts))
    Console().print(rows_table("Attacks", rows, _COLUMNS))


def _craft_pictures(job: Job, attacks: Sequence[Attack], workshop: Workshop) -> Iterator[Facts]:
    """Picture by picture, so that a part of the work holds something of every attack."""
    index, count = job.part
    selection = photos(job.data, job.use, job.test_list)[: job.pictures][index - 1 :: count]
    with progress_bar() as progress:
        task = progress.add_task("attacks", total=len(selection) * len(attacks))
        for photo in selection:
            image = load(photo)
            for attack in attacks:
                progress.update(task, description=f"{photo.name} {attack.name}")
                yield workshop.craft_picture(attack, image).facts
                progress.advance(task)


def _rows(names: Sequence[str], facts: Sequence[Facts]) -> Iterator[dict[str, object]]:
    for name in names:
        attempts = [fact for fact in facts if fact.attack == name and fact.reached is not None]
        if attempts:
            yield {
                "attack": name,
                "n": len(attempts),
                "success": mean(fact.succeeded for fact in attempts),
                "goal reached": mean(fact.reached or 0.0 for fact in attempts),
                "s/picture": mean(fact.seconds for fact in attempts),
            }

"""The demo's acts, in order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from math import inf
from typing import TypeVar

from rich.console import Console
from rich.progress import track

from detectors.parsing import Image
from inference.segmenters.reference.training.attacks import pgd, square_search
from inference.segmenters.reference.training.segmenter import TorchSegmenter, use_one_thread
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS
from jobs.commands import run_once
from jobs.settings import JobSettings
from maskwatch.demo.pictures import encode, figure, make_malformed, ordinary
from maskwatch.demo.report import Report
from maskwatch.demo.visitor import Cast, Desk, Visitor

Item = TypeVar("Item")

ORDINARY, MALFORMED, GRADIENT, PROBING, DAMAGED = (
    "ordinary pictures",
    "malformed files",
    "gradient attacks",
    "probing queries",
    "damaged files of one network",
)
# Steps are what the demo takes longest for. With five, ten of twelve pictures are flagged, but too
# few of them are rare enough for a block: so there are more steps, and more pictures than it takes.
_ATTACKS, _EPSILON, _STEPS = 12, 8, 16
_QUERIES = 24
_VANDALISMS = (7, 8)
_CRAFTED_SEED = 2000


@dataclass(frozen=True)
class Script:
    """How a part of the story is played.

    Attributes:
        warm_up: uploads of ordinary visitors before an outlier model is trained.
        visits: uploads of ordinary visitors after the attacks.
        first_seed: of the people who are drawn.
    """

    warm_up: int
    visits: int
    first_seed: int


# With the attackers enough requests of enough clients for an alert on the share of them.
AT_SERVICE = Script(warm_up=120, visits=48, first_seed=0)
AT_PAGE = Script(warm_up=48, visits=24, first_seed=5000)


@dataclass
class _Prober:
    """Asks the service, and keeps what makes the model see less of the person."""

    visitor: Visitor
    report: Report
    smallest_area: float = inf

    def is_better(self, query: Image) -> bool:
        """Send a query picture; whether the answer shows less foreground than all before."""
        answer = self.visitor.send(encode(query, "try", "PNG"))
        self.report.tally(PROBING, answer.status, answer.outcome)
        is_smaller = answer.area < self.smallest_area
        self.smallest_area = min(self.smallest_area, answer.area)
        return is_smaller


@dataclass(frozen=True)
class Story:
    """Plays against a running service and notes what it answers."""

    desk: Desk
    cast: Cast
    script: Script
    jobs: JobSettings
    report: Report
    console: Console

    def play(self) -> None:
        """All acts, then the jobs that judge them."""
        first, script = self.script.first_seed, self.script
        self._visits(range(first, first + script.warm_up), "Ordinary visitors upload pictures")
        self._job("retrain")
        self._vandal()
        self._artist()
        self._prober()
        later = first + 1000
        self._visits(range(later, later + script.visits), "Ordinary visitors go on")
        for name in ("scan", "group_families", "decide", "evaluate_alerts", "notify"):
            self._job(name)

    def _visits(self, seeds: range, title: str) -> None:
        neighbours = self.cast.neighbours
        for number, seed in enumerate(self._track(seeds, title)):
            visitor = Visitor(self.desk, neighbours[number % len(neighbours)])
            answer = visitor.send(ordinary(seed))
            self.report.tally(ORDINARY, answer.status, answer.outcome)

    def _vandal(self) -> None:
        visitor = Visitor(self.desk, self.cast.vandal)
        files = [picture for seed in _VANDALISMS for picture in make_malformed(seed)]
        right = 0
        for picture, status in self._track(files, "One client sends files that are no pictures"):
            answer = visitor.send(picture)
            self.report.tally(MALFORMED, answer.status, answer.outcome)
            right += answer.status == status
        self.report.observe(
            "every malformed file is refused with its own status",
            f"{right} of {len(files)}",
            right == len(files),
        )

    def _artist(self) -> None:
        visitor = Visitor(self.desk, self.cast.artist)
        seeds = range(_CRAFTED_SEED, _CRAFTED_SEED + _ATTACKS)
        for seed in self._track(seeds, "One client computes gradients"):
            picture = encode(_craft(seed), f"look-{seed}", "PNG" if seed % 2 else "JPEG")
            answer = visitor.send(picture)
            self.report.tally(GRADIENT, answer.status, answer.outcome)

    def _prober(self) -> None:
        prober = _Prober(Visitor(self.desk, self.cast.prober), self.report)
        start = figure(self.script.first_seed + 3000)
        search = square_search(start, prober.is_better, epsilon=16, queries=_QUERIES, seed=3)
        for _ in self._track(search, "One client searches by asking", _QUERIES):
            pass

    def _job(self, name: str) -> None:
        outcome = run_once(name, self.jobs, datetime.now(UTC))
        self.console.print(f"  [bold]{name}[/]: {outcome.sentence}")

    def _track(self, items: Iterable[Item], title: str, total: int | None = None) -> Iterable[Item]:
        return track(items, f"{title:<44}", total=total, console=self.console)


@cache
def _craft(seed: int) -> Image:
    """A picture of a gradient attack; each part of the story sends the same ones."""
    # Beside the processes of the demo, threads would wait for each other longer than they work.
    use_one_thread()
    segmenter = TorchSegmenter.load(DEFAULT_WEIGHTS)
    return pgd(segmenter, figure(seed), epsilon=_EPSILON, steps=_STEPS, seed=seed)

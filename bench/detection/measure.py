"""Observes every picture of the protocol and turns the observations into rows of figures."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import nan
from statistics import mean, median
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.detection.attacks.base import Attack
from bench.detection.observe import Observation, Observer
from bench.detection.peers import Measurements, Peer, peers
from bench.detection.pictures.controls import CONTROLS
from bench.detection.pictures.photos import Photo, Use, load, photos
from bench.detection.pictures.uploads import File, change_photo, list_traffic, read_files
from bench.detection.pictures.workshop import Workshop
from bench.detection.plan import Plan
from bench.detection.statistics import Scores, auroc, fill_unmeasured, interval, rate
from detectors.baseline.baseline import Baseline
from detectors.rule_book import ADVERSARIAL_PICTURE

_ONE_PER_CENT, _ONE_PER_MILLE = 0.01, 0.001
# What a service accuses at, unless it is set otherwise.
_DEFAULT = 0.005
_TIMED = 12


@dataclass(frozen=True, eq=False)
class Observations:
    """Observations of one set of files, in order."""

    entries: tuple[Observation, ...]

    @property
    def features(self) -> list[Measurements]:
        """Of each file."""
        return [each.features for each in self.entries]


class Watch:
    """Observes sets of files behind a progress bar."""

    def __init__(self, observer: Observer, progress: Progress) -> None:
        self.observer = observer
        self._progress = progress

    def see(self, what: str, files: Iterable[File], total: int) -> Observations:
        """Observe all; remembered ones take no time."""
        task = self._progress.add_task(what, total=total)
        entries = []
        for file in files:
            entries.append(self.observer.observe(file.content))
            self._progress.advance(task)
        return Observations(tuple(entries))

    def extremes(self, what: str, files: Iterable[File], total: int) -> list[Measurements]:
        """How near each comes to the limits of the topology rules."""
        task = self._progress.add_task(what, total=total)
        rows = []
        for file in files:
            rows.append(self.observer.topology_extremes(file.content))
            self._progress.advance(task)
        return rows


def progress_bar() -> Progress:
    """On the error stream, so that the table can be piped."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))


@dataclass(frozen=True)
class Costs:
    """Milliseconds of the looks, measured in one go: remembered ones come from other hours.

    Attributes:
        first_ms: of the first look.
        all_ms: of all looks.
        forward_ms: of the parse, to compare with.
    """

    first_ms: float
    all_ms: float
    forward_ms: float


def costs(observer: Observer, files: Iterable[File]) -> Costs:
    """Medians over some files."""
    rows = [observer.observe_anew(file.content).features for file in files]
    names = ("glance_ms", "ensemble_ms", "forward_ms")
    return Costs(*(median(row[name] for row in rows) for name in names))


@dataclass(frozen=True, eq=False)
class Judges:
    """Our detector and its peers, with thresholds fixed on calibration pictures.

    Attributes:
        baseline: ours.
        peers: the others, by descending age of the idea.
        calibrate: features of the pictures that fix the peers' thresholds.
        clean: features of clean test photos.
        costs: what looks cost.
    """

    baseline: Baseline
    peers: Sequence[Peer]
    calibrate: list[Measurements]
    clean: list[Measurements]
    costs: Costs

    def scores(self, rows: Sequence[Measurements]) -> Scores:
        """Ours, as the cascade gives them."""
        return fill_unmeasured(np.array([self.baseline.cascade(row).value for row in rows]))

    def row(self, attack: str, rows: Sequence[Measurements]) -> dict[str, Any]:
        """One line of the table: successful attacks only."""
        ours, clean = self.scores(rows), self.scores(self.clean)
        threshold = self.baseline.threshold(_ONE_PER_CENT)
        bounds = interval(ours, threshold)
        best = max(self._peer_rates(rows).items(), key=lambda item: item[1])
        return {
            "attack": attack,
            "n": len(rows),
            "auroc": auroc(clean, ours),
            "tpr_1pct": rate(ours, threshold),
            "tpr_01pct": rate(ours, self.baseline.threshold(_ONE_PER_MILLE)),
            "ci_low": bounds.low,
            "ci_high": bounds.high,
            "best_peer": best[0],
            "best_peer_tpr_1pct": best[1],
            "extra_forwards": mean(self._cost(row)[0] for row in rows),
            "extra_ms": mean(self._cost(row)[1] for row in rows),
            "peers": self._peer_rates(rows),
            "scores": _round_scores(ours),
            "peer_auroc": {
                peer.name: auroc(peer.score(self.clean), peer.score(rows)) for peer in self.peers
            },
        }

    def _peer_rates(self, rows: Sequence[Measurements]) -> dict[str, float]:
        return {
            peer.name: rate(
                peer.score(rows), float(np.quantile(peer.score(self.calibrate), 1 - _ONE_PER_CENT))
            )
            for peer in self.peers
        }

    def stops_at_first_look(self, row: Measurements) -> bool:
        """Whether the cascade needs no more than the first look."""
        return self.baseline.score(row, first_look=True).value < self.baseline.look_again

    def _cost(self, row: Measurements) -> tuple[float, float]:
        """Extra forward passes and milliseconds that the cascade spends."""
        if self.stops_at_first_look(row):
            return 1.0, self.costs.first_ms
        return row.get("ensemble_passes", nan), self.costs.all_ms

    def control(self, name: str, observations: Observations) -> dict[str, Any]:
        """False positives of one kind of harmless picture."""
        scores = self.scores(observations.features)
        rules = [
            [r for r in o.reasons if r != ADVERSARIAL_PICTURE.code] for o in observations.entries
        ]
        return {
            "control": name,
            "n": len(scores),
            "fpr": rate(scores, self.baseline.threshold(_ONE_PER_CENT)),
            "fpr_default": rate(scores, self.baseline.threshold(_DEFAULT)),
            "named_by_another_rule": mean(map(bool, rules)) if rules else 0.0,
            "peers": self._peer_rates(observations.features),
            "scores": _round_scores(scores),
        }


def _round_scores(scores: Scores) -> list[float]:
    """For the plots."""
    return [round(float(score), 3) for score in scores]


def craft_files(
    workshop: Workshop, attack: Attack, selection: Sequence[Photo]
) -> Iterator[tuple[Photo, File]]:
    """Successful attacks as they are uploaded."""
    for photo in selection:
        picture = workshop.craft_picture(attack, load(photo))
        if picture.facts.succeeded and picture.png is not None:
            yield photo, File(attack.name, photo.name, picture.png)


def judges(watch: Watch, plan: Plan, baseline: Baseline) -> Judges:
    """Fix everything that is fitted, and look at the clean test photos."""
    fit, calibrate, clean = (plan.photos(use) for use in (Use.FIT, Use.CALIBRATE, Use.TEST))
    if plan.test_list is None:
        clean = clean + plan.photos(Use.TEST_CLEAN)
    fit_rows = watch.see("fit", list_fit_files(fit), len(fit)).features
    return Judges(
        baseline,
        peers(fit_rows),
        watch.see("calibrate", list_traffic(calibrate), 2 * len(calibrate)).features,
        watch.see("clean test photos", read_files(clean), len(clean)).features,
        costs(watch.observer, read_files(clean[:_TIMED])),
    )


def list_fit_files(fit: Sequence[Photo]) -> Iterator[File]:
    """Each fit photo once: every second one as taken, the others after a change in turn."""
    names = list(CONTROLS)
    for place, photo in enumerate(fit):
        if place % 2 == 0:
            yield from read_files([photo])
        else:
            yield change_photo(photo, names[place // 2 % len(names)])


def attack_rows(
    watch: Watch, workshop: Workshop, plan: Plan, panel: Judges, attacks: Sequence[Attack]
) -> list[dict[str, Any]]:
    """One row for each attack that succeeded at all."""
    selection = photos(plan.data, Use.TEST, plan.test_list)[: plan.pictures]
    rows = []
    for attack in attacks:
        files = (file for _, file in craft_files(workshop, attack, selection))
        observations = watch.see(attack.name, files, len(selection))
        if observations.entries:
            rows.append({**panel.row(attack.name, observations.features), "tried": len(selection)})
    return rows


def adaptive_rows(
    watch: Watch, workshop: Workshop, plan: Plan, panel: Judges, attacks: Sequence[Attack]
) -> list[dict[str, Any]]:
    """What an attacker who knows the detector reaches, with it and without it."""
    selection = photos(plan.data, Use.TEST, plan.test_list)[: plan.adaptive]
    rows = []
    for attack in attacks:
        files = (file for _, file in craft_files(workshop, attack, selection))
        scores = panel.scores(watch.see(attack.name, files, len(selection)).features)
        detection_rate = rate(scores, panel.baseline.threshold(_DEFAULT))
        rows.append(
            {
                "attack": attack.name,
                "n": len(selection),
                "success_without": len(scores) / len(selection),
                "success_with": len(scores) * (1 - detection_rate) / len(selection),
            }
        )
    return rows


def control_rows(watch: Watch, plan: Plan, panel: Judges) -> list[dict[str, Any]]:
    """One row for each harmless change, and for the photos of other cameras."""
    selection = photos(plan.data, Use.TEST, plan.test_list)[: plan.controls]
    rows = []
    for name in CONTROLS:
        observations = watch.see(
            name, (change_photo(photo, name) for photo in selection), len(selection)
        )
        rows.append(panel.control(name, observations))
    for use in (Use.OTHER_CAMERAS, Use.PERSON_FREE):
        others = plan.photos(use)
        name = use.value.replace(" ", "_")
        rows.append(panel.control(name, watch.see(name, read_files(others), len(others))))
    return rows


def clean_figures(panel: Judges) -> dict[str, Any]:
    """What clean test photos cost and how many are accused."""
    scores = panel.scores(panel.clean)
    return {
        "clean": {
            "n": len(scores),
            "scores": _round_scores(scores),
            "fpr": rate(scores, panel.baseline.threshold(_ONE_PER_CENT)),
            "fpr_01pct": rate(scores, panel.baseline.threshold(_ONE_PER_MILLE)),
            **{
                f"interval_{name}": value
                for name, value in asdict(
                    interval(scores, panel.baseline.threshold(_ONE_PER_CENT))
                ).items()
            },
        },
        "costs": asdict(panel.costs),
        "cascade_share_first_stage": mean(panel.stops_at_first_look(row) for row in panel.clean),
    }

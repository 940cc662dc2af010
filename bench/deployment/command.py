"""``python -m bench deployment``: alarms, detection and cost while a deployment is learnt."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.deployment.attackable import open_target
from bench.deployment.attacked import ALL, CHOICE, Attempts, attack_photos, print_triggers
from bench.deployment.installation import Installation, Model, open_installation
from bench.deployment.measured_rows import read_rows
from bench.deployment.outcomes import alarm_figures, detection_row, measure_files
from bench.deployment.page import fill_page
from bench.deployment.play import Place, play, snapshot_of
from bench.deployment.plots import draw_deployment
from bench.deployment.poison import poison_rows
from bench.deployment.tones import tone_figures
from bench.deployment.traffic import Deployment, Kind, Message, add_hostile, read_deployment
from bench.detection.page import describe_gap
from bench.detection.pictures.cache import write
from bench.detection.pictures.photos import Photo, PhotosMissing
from bench.detection.pictures.uploads import File
from bench.detection.trigger.model import train_backdoor
from bench.detection.trigger.poison import Target
from bench.detection.trigger.training import PoisonPlan
from bench.report import rows_table
from inference.machine.allocator import keep_pages

_CHECKPOINTS = (200, 600, 1200)
# Before, nothing flags by looks.
_FIRST_IN_FORCE = 600
_COLUMNS = ("model", "traffic", "hostile", "after", "state", "n", "flagged", "bad", "crafted")
_COST_COLUMNS = ("cost_ratio", "passes", "ensembles")
Row = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """What is played.

    Attributes:
        requests: of the clean traffic; the last checkpoint is at most there.
        attacks: test photos that each attack is tried on; 0: none.
        hostile: share of the traffic that is hostile, and how many clients send it.
        only: names of the attacks.
    """

    data: Path
    cache: Path
    models: tuple[Model, ...]
    traffic: tuple[Kind, ...]
    requests: int
    attacks: int
    hostile: tuple[float, int] = (0.0, 1)
    only: tuple[str, ...] = ALL


def hostile_of(text: str) -> tuple[float, int]:
    """Share and clients, as the option says them.

    >>> hostile_of("0.2/50")
    (0.2, 50)
    """
    share, _, clients = text.partition("/")
    return float(share), int(clients)


def measure_deployment(options: Options, out: Path) -> None:
    """Play every deployment, print a line for each checkpoint; figures are written as they come.

    Raises:
        PhotosMissing: a folder of photos is missing.
    """
    keep_pages()
    figures: Row = {"deployment": []}

    def save() -> None:
        write(out, (json.dumps(figures, indent=1) + "\n").encode())

    for model in options.models:
        for kind in options.traffic:
            _Run.of(options, model, kind).measure(figures, save)
    columns = (*_COLUMNS, *_COST_COLUMNS)
    Console(width=160).print(rows_table("Deployment", figures["deployment"], columns))


def measure_poison(data: Path, cache: Path, attacks: int, draws: int, out: Path) -> None:
    """Fourteen nights of every poison, on rows of the mixed deployment of the reference model.

    Args:
        draws: of the traffic, for each line.

    Raises:
        PhotosMissing: photos, or what `deployment` kept of that deployment, are missing.
    """
    deployment = read_deployment(data, Kind.MIXED, _CHECKPOINTS[-1])
    place = _place_of(cache, Model.REFERENCE, Kind.MIXED, (0.0, 1), data)
    if not snapshot_of(place, _FIRST_IN_FORCE).is_dir():
        raise PhotosMissing(f"The folder {place.folder} holds no deployment: run `deployment`.")
    rows = read_rows(place, _FIRST_IN_FORCE, cache, deployment.people[::2], attacks)
    figures: list[Row] = []
    for row in poison_rows(rows, draws):
        Console(width=160).print(row)
        figures.append(row)
        write(out, (json.dumps({"poison": figures}, indent=1) + "\n").encode())


def publish_deployment(files: Sequence[Path], docs: Path) -> None:
    """Put the figures of several runs together in ``deployment.json``, the page and its plots."""
    parts = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    figures: Row = {"deployment": [row for part in parts for row in part.get("deployment", [])]}
    for part in reversed(parts):
        figures |= {name: value for name, value in part.items() if name != "deployment"}
    write(docs / "deployment.json", (json.dumps(figures, indent=1) + "\n").encode())
    fill_page(docs / "deployment.md", figures)
    draw_deployment(figures, docs / "images")


def _place_of(
    cache: Path, model: Model, kind: Kind, hostile: tuple[float, int], data: Path
) -> Place:
    """The same for any number of requests, so that a longer run goes on where a shorter one was."""
    share, clients = hostile
    weights = None
    if model is Model.BACKDOORED:
        weights = train_backdoor(data / "parsing", cache, PoisonPlan(Target.PERSON))
    name = model.value if weights is None else weights.stem
    folder = cache / "deployments" / f"{name}-{kind.value}-{share:g}-{clients}"
    return Place(folder, model, data, weights)


@dataclass(frozen=True)
class _Run:
    """One model on one kind of traffic.

    Attributes:
        sent: photos of which attacked copies are part of the traffic: no test of false alarms, for
            who sends the photo then sends one of many that are nearly the same.
    """

    options: Options
    place: Place
    kind: Kind
    deployment: Deployment
    messages: Sequence[Message]
    sent: frozenset[str]

    @classmethod
    def of(cls, options: Options, model: Model, kind: Kind) -> "_Run":
        deployment = read_deployment(options.data, kind, options.requests)
        place = _place_of(options.cache, model, kind, options.hostile, options.data)
        messages: Sequence[Message] = deployment.messages
        share, clients = options.hostile
        files: list[File] = []
        if share:
            attempts = _attack(options, place, deployment.people[1::2], CHOICE)
            files = [file for each in attempts for file in each.files]
            hostile = [(file.kind, file.content) for file in files]
            messages = add_hostile(messages, hostile, share, clients)
        sent = frozenset(file.photo for file in files)
        return cls(options, place, kind, deployment, messages, sent)

    def measure(self, figures: Row, save: Callable[[], None]) -> None:
        """False alarms at every checkpoint first, for attacks take longest."""
        counts = [count for count in _CHECKPOINTS if count < len(self.messages)]
        rows = {}
        for count in play(self.place, self.messages, [*counts, len(self.messages)]):
            with self._open(count) as installation:
                rows[count] = self._measure_alarms(installation, count)
            figures["deployment"].append(rows[count])
            save()
            Console(width=160).print(rows[count])
        last = max(rows)
        rows[last]["fairness"] = self._measure_fairness(last)
        figures.setdefault("fairness", rows[last]["fairness"])
        Console(width=160).print(describe_gap(rows[last]["fairness"]))
        save()
        self._measure_detection(rows, save)

    def _measure_alarms(self, installation: Installation, count: int) -> Row:
        tests = self.deployment.list_tests(self.sent)
        outcomes = measure_files(installation, tests, self._memory(count, "clean"))
        return {
            "model": self.place.model.value,
            "traffic": self.kind.value,
            "hostile": "{:g} from {}".format(*self.options.hostile),
            "after": count,
            "state": installation.describe(),
            **alarm_figures(outcomes),
            "detection": [],
        }

    def _measure_fairness(self, count: int) -> Row:
        people = [photo for photo in self.deployment.people if photo.name not in self.sent]
        memory = self._memory(count, "clean")
        with self._open(count) as installation:
            return tone_figures(installation, self.options.data, people, memory)

    def _measure_detection(self, rows: dict[int, Row], save: Callable[[], None]) -> None:
        for attempts in _attack(self.options, self.place, self._list_targets(), self.options.only):
            for count in (count for count in rows if count >= _FIRST_IN_FORCE):
                with self._open(count) as installation:
                    memory = self._memory(count, "attacked")
                    outcomes = measure_files(installation, attempts.files, memory)
                row = detection_row(attempts.attack, attempts.tried, outcomes)
                rows[count]["detection"].append(row)
                Console(width=160).print(count, row)
            save()

    def _list_targets(self) -> Sequence[Photo]:
        """One half of the people: what is looked for is not what is sent as traffic.

        A trigger is printed on all that were not sent.
        """
        if self.place.model is Model.BACKDOORED:
            return [photo for photo in self.deployment.people if photo.name not in self.sent]
        return self.deployment.people[::2]

    def _memory(self, count: int, kind: str) -> Path:
        return self.place.folder / f"{kind}-{count}.jsonl"

    def _open(self, count: int) -> AbstractContextManager[Installation]:
        folder = snapshot_of(self.place, count)
        place = self.place
        return open_installation(folder, place.model, place.data, place.weights)


def _attack(
    options: Options, place: Place, photos: Sequence[Photo], names: Sequence[str]
) -> Iterator[Attempts]:
    """The attacks by name, or the trigger of a model that was trained on one."""
    target = open_target(place)
    if place.model is Model.BACKDOORED:
        return print_triggers(target, photos, options.attacks)
    return attack_photos(target, options.data, options.cache, photos, options.attacks, names)

"""``python -m bench serve``."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

from bench.gate.service import running_service
from bench.report import Figures, publish
from bench.serve.bare import BareLoop
from bench.serve.pictures import Pictures, read_pictures
from bench.serve.processor import processor_seconds
from bench.serve.profile import Profile, medians_of_records
from bench.serve.senders import Senders

_SENDERS = 2
_WARM_UP = 12
_LOAD = 0.7
_MEDIANS = {"measure_ms": "measures_ms_p50", "traffic_ms": "traffic_ms_p50"}


@dataclass(frozen=True)
class Service:
    """A service that is measured.

    Attributes:
        folder: its database and files.
        pid: its process.
    """

    senders: Senders
    folder: Path
    pid: int


@dataclass(frozen=True)
class Speed:
    """How fast one side answered, and what it used.

    Attributes:
        rate: pictures a second.
        cpu_ms: processor time of a picture.
    """

    rate: float
    cpu_ms: float


@dataclass(frozen=True)
class Round:
    """The three sides one after the other: what else the machine does, all of them share."""

    bare: Speed
    full: Speed
    without_looks: Speed


def measure_serve(data: Path, out: Path, rounds: int) -> None:
    """Measure and publish.

    Raises:
        PhotosMissing: the folder holds other things than photos.
        ServiceFailed: a service does not start.
        NotAnswered: it answers with something else than a parse.
    """
    pictures = read_pictures(data)
    if pictures.are_drawn:
        print(f"There is no folder {data}: drawn figures are measured, not photos.")
    with _service() as full, _service(FIRST_LOOK="false", ENSEMBLE="never") as without:
        figures = _measured(pictures, full, without, rounds)
    publish("Cost of a request", figures, out)


def _measured(pictures: Pictures, full: Service, without: Service, rounds: int) -> Figures:
    bare = BareLoop()
    for side in (full.senders, without.senders):
        side.pictures_per_second(pictures.known[:_WARM_UP], _SENDERS)
    bare.pictures_per_second(pictures.known[:_WARM_UP])
    profile = Profile(full.senders.url)
    turns, tails = [], []
    for _ in range(rounds):
        turns.append(_take_turns(bare, full, without, pictures.known))
        tails.append(_tail(full.senders, pictures.known, _LOAD * turns[-1].full.rate))
    by_part, ensembles = profile.milliseconds(), profile.ensembles_per_picture()
    p50s = medians_of_records(full.folder, tuple(_MEDIANS))
    return {
        **_ratios("serve_ratio_vs_bare", turns, lambda speed: speed.rate),
        **{_MEDIANS[name]: value for name, value in p50s.items()},
        "p99_over_p50": median(p99 / p50 for p50, p99 in tails),
        "latency_ms_p50": median(p50 for p50, _ in tails),
        "latency_ms_p99": median(p99 for _, p99 in tails),
        **_ratios("processor_ratio_vs_bare", turns, lambda speed: 1 / speed.cpu_ms),
        **_medians("pictures_per_second", turns, lambda speed: speed.rate),
        **_medians("processor_ms", turns, lambda speed: speed.cpu_ms),
        **_portraits(bare, full, without, pictures.portraits, rounds),
        "pictures": len(pictures.known),
        "pictures_are_drawn": int(pictures.are_drawn),
        "rounds": rounds,
        "ensembles": ensembles,
        "profile_ms": dict(sorted(by_part.items(), key=lambda part: -part[1])),
    }


def _take_turns(
    bare: BareLoop, full: Service, without: Service, pictures: Sequence[bytes]
) -> Round:
    return Round(
        _speed(partial(bare.pictures_per_second, pictures), process_time, len(pictures)),
        _speed_of(full, pictures),
        _speed_of(without, pictures),
    )


def _speed_of(service: Service, pictures: Sequence[bytes]) -> Speed:
    send = partial(service.senders.pictures_per_second, pictures, _SENDERS)
    return _speed(send, partial(processor_seconds, service.pid), len(pictures))


def _speed(answer: Callable[[], float], seconds: Callable[[], float], pictures: int) -> Speed:
    """Let a side answer: ``seconds`` tells the processor time that it used until now."""
    before = seconds()
    rate = answer()
    return Speed(rate, 1000 * (seconds() - before) / pictures)


def _tail(senders: Senders, pictures: Sequence[bytes], per_second: float) -> tuple[float, float]:
    """Median and 99th percentile of the milliseconds until an answer, at a steady load.

    The load is a share of what the service just did: neighbours have the same share in both.
    """
    ordered = sorted(senders.stream(pictures, per_second))
    p50, p99 = (ordered[round(share * (len(ordered) - 1))] for share in (0.5, 0.99))
    return 1000 * p50, 1000 * p99


def _portraits(
    bare: BareLoop, full: Service, without: Service, portraits: Sequence[bytes], rounds: int
) -> dict[str, float]:
    if not portraits:
        return {}
    turns = [_take_turns(bare, full, without, portraits) for _ in range(rounds)]
    return {
        **_ratios("portraits_ratio_vs_bare", turns, lambda speed: speed.rate),
        "portraits": len(portraits),
    }


def _ratios(
    name: str, turns: Sequence[Round], figure: Callable[[Speed], float]
) -> dict[str, float]:
    """Medians over the rounds of each service's figure over that of the bare loop."""
    return {
        name: median(figure(turn.full) / figure(turn.bare) for turn in turns),
        f"{name}_without_looks": median(
            figure(turn.without_looks) / figure(turn.bare) for turn in turns
        ),
    }


def _medians(
    name: str, turns: Sequence[Round], figure: Callable[[Speed], float]
) -> dict[str, float]:
    return {
        f"{name}_bare": median(figure(turn.bare) for turn in turns),
        f"{name}_full": median(figure(turn.full) for turn in turns),
        f"{name}_without_looks": median(figure(turn.without_looks) for turn in turns),
    }


@contextmanager
def _service(**settings: str) -> Iterator[Service]:
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="maskwatch-bench-"))
        service = stack.enter_context(running_service(VAR_DIR=folder, **settings))
        yield Service(Senders(service.url), Path(folder), service.process.pid)

"""``python -m bench serve``."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.gate.service import running_service
from bench.report import Figures, publish
from bench.serve.bare import BareLoop
from bench.serve.pictures import Pictures, read_pictures
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
    """

    senders: Senders
    folder: Path


@dataclass(frozen=True)
class Rate:
    """Pictures a second of the three sides in one round."""

    bare: float
    full: float
    without_looks: float


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
    rates, tails = [], []
    for _ in range(rounds):
        rates.append(_rate(bare, full, without, pictures.known))
        tails.append(_tail(full.senders, pictures.known, _LOAD * rates[-1].full))
    by_part = profile.milliseconds()
    p50s = medians_of_records(full.folder, tuple(_MEDIANS))
    return {
        "serve_ratio_vs_bare": median(rate.full / rate.bare for rate in rates),
        "serve_ratio_vs_bare_without_looks": median(
            rate.without_looks / rate.bare for rate in rates
        ),
        **{_MEDIANS[name]: value for name, value in p50s.items()},
        "p99_over_p50": median(p99 / p50 for p50, p99 in tails),
        "latency_ms_p50": median(p50 for p50, _ in tails),
        "latency_ms_p99": median(p99 for _, p99 in tails),
        **_medians("pictures_per_second", rates),
        **_portraits(bare, full, without, pictures.portraits, rounds),
        "pictures": len(pictures.known),
        "pictures_are_drawn": int(pictures.are_drawn),
        "rounds": rounds,
        "profile_ms": dict(sorted(by_part.items(), key=lambda part: -part[1])),
    }


def _rate(bare: BareLoop, full: Service, without: Service, pictures: Sequence[bytes]) -> Rate:
    """The three sides one after the other: what else the machine does is shared among them."""
    return Rate(
        bare.pictures_per_second(pictures),
        full.senders.pictures_per_second(pictures, _SENDERS),
        without.senders.pictures_per_second(pictures, _SENDERS),
    )


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
    rates = [_rate(bare, full, without, portraits) for _ in range(rounds)]
    return {
        "portraits_ratio_vs_bare": median(rate.full / rate.bare for rate in rates),
        "portraits_ratio_vs_bare_without_looks": median(
            rate.without_looks / rate.bare for rate in rates
        ),
        "portraits": len(portraits),
    }


def _medians(name: str, rates: Sequence[Rate]) -> dict[str, float]:
    return {
        f"{name}_bare": median(rate.bare for rate in rates),
        f"{name}_full": median(rate.full for rate in rates),
        f"{name}_without_looks": median(rate.without_looks for rate in rates),
    }


@contextmanager
def _service(**settings: str) -> Iterator[Service]:
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="maskwatch-bench-"))
        service = stack.enter_context(running_service(VAR_DIR=folder, **settings))
        yield Service(Senders(service.url), Path(folder))

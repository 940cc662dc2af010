"""What hostile traffic makes of a learnt source: the job itself, on rows that were measured once.

A source learns from 600 clean pictures of 150 clients, and then from a hundred a night for fourteen
nights. A share of them is hostile: from the first picture on, from the first night on, or drifting
from the clean picture to the attacked one over the nights. Nothing is parsed: the rows are those of
a deployment and of attacked pictures, drawn again and again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import product
from math import exp, log
from pathlib import Path
from statistics import fmean, pstdev
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from detectors.baseline.phases import Phase, SourceState
from detectors.registry import FEATURE_NAMES, FeatureVector
from detectors.rule_book import ADVERSARIAL_PICTURE
from detectors.verdict import Verdict
from jobs.baselines import learn_baseline
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.baselines.sources import find_source, read_states
from store.engine.database import Database
from store.engine.start import open_database
from store.requests.record_store import add_records
from store.requests.records import RequestRecord, Stage
from store.requests.request_ids import new_request_id
from store.settings import StoreSettings

# The worst first.
SHARES, CLIENTS = (0.2, 0.05, 0.01), (50, 1)
_NIGHTS, _FIRST, _NIGHTLY, _HONEST_CLIENTS = 14, 640, 100, 150
# The default of a service.
_RATE = 0.005
_SOURCE = "5" * 64
_START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_FLOOR = 1e-4
_CODE = ADVERSARIAL_PICTURE.code
Features = Mapping[str, float]


class Way(StrEnum):
    """When and how the hostile pictures come."""

    FROM_THE_START = "from the start"
    SUDDEN = "sudden"
    DRIFTING = "drifting"


@dataclass(frozen=True)
class Rows:
    """What was measured, with all looks.

    Attributes:
        clean: pictures that are sent.
        clean_tests: others, for false alarms.
        attacks: a clean picture and what an attack made of it, to be sent.
        attack_tests: attacks on other photos, to be found.
    """

    clean: Sequence[Features]
    clean_tests: Sequence[Features]
    attacks: Sequence[tuple[Features, Features]]
    attack_tests: Sequence[Features]


@dataclass(frozen=True)
class Poison:
    """Who sends how much, and how."""

    way: Way
    share: float
    clients: int

    def strength(self, night: int) -> float:
        """How far towards the attack a hostile picture is in a night; 0 is the first learning."""
        if self.way is Way.FROM_THE_START:
            return 1.0
        if self.way is Way.SUDDEN:
            return float(night > 0)
        return night / _NIGHTS


NONE = Poison(Way.SUDDEN, 0.0, 1)


def poison_rows(rows: Rows, draws: int, seed: int = 7) -> Iterator[dict[str, Any]]:
    """A line without poison, and one for each way, share and number of clients.

    Args:
        draws: of the traffic, for each line: what is found moves with the draw, poisoned or not.
    """
    clean = draw_rows(rows, NONE, draws, seed)
    yield clean
    for share, clients, way in product(SHARES, CLIENTS, Way):
        row = draw_rows(rows, Poison(way, share, clients), draws, seed)
        yield {**row, "fall": clean["detection"] - row["detection"]}


def draw_rows(
    rows: Rows, poison: Poison, draws: int, seed: int, nights: int = _NIGHTS
) -> dict[str, Any]:
    """The means of several draws, how far they scatter, and the worst of what must not be."""
    drawn = [poison_row(rows, poison, seed + number, nights) for number in range(draws)]
    found, wrong = ([row[name] for row in drawn] for name in ("detection", "false_alarms"))
    return {
        **drawn[-1],
        "draws": draws,
        "phase": ", ".join(sorted({row["phase"] for row in drawn})),
        "nights_in_force": min(row["nights_in_force"] for row in drawn),
        "demoted": sorted({code for row in drawn for code in row["demoted"]}),
        "detection": fmean(found),
        "detection_deviation": pstdev(found),
        "false_alarms": fmean(wrong),
        "false_alarms_max": max(wrong),
    }


def poison_row(rows: Rows, poison: Poison, seed: int = 7, nights: int = _NIGHTS) -> dict[str, Any]:
    """What a source still tells apart after so many nights."""
    with TemporaryDirectory() as folder:
        database = open_database(StoreSettings(var_dir=Path(folder)))
        try:
            source = _Source(database, JobSettings(var_dir=Path(folder)), rows, seed)
            for night in range(nights + 1):
                source.live(_FIRST if night == 0 else _NIGHTLY, poison, night)
            return {"way": poison.way.value, "share": poison.share, "clients": poison.clients} | (
                source.measure()
            )
        finally:
            database.close()


@dataclass
class _Source:
    """A source in a database of its own."""

    database: Database
    settings: JobSettings
    rows: Rows
    seed: int
    now: datetime = _START
    stays: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)

    def live(self, count: int, poison: Poison, night: int) -> None:
        """The requests of a day, and what the job makes of them at its end."""
        state = self._state()
        is_hostile = self._random.random(count) < (poison.share if poison.strength(night) else 0.0)
        records = [
            self._hostile(poison, night, state) if hostile else self._honest(state)
            for hostile in is_hostile
        ]
        with self.database.write() as session:
            add_records(session, records)
        self.now += timedelta(days=1, minutes=1)
        # A second run does what follows from the first: the same minute in a deployment.
        for _ in range(2):
            learn_baseline.run(JobContext(self.database, self.settings, self.now))
        self.stays.append(self._state().phase.value)

    def measure(self) -> dict[str, Any]:
        """What the source tells apart now."""
        state = self._state()
        with self.database.read() as session:
            why = find_source(session, _SOURCE).why
        return {
            "phase": state.phase.value,
            "nights_in_force": self.stays.count(Phase.IN_FORCE.value),
            "demoted": sorted(state.demoted),
            "detection": self._rate(state, self.rows.attack_tests),
            "false_alarms": self._rate(state, self.rows.clean_tests),
            "why": why,
        }

    def _rate(self, state: SourceState, rows: Sequence[Features]) -> float:
        """The share that is called crafted, so that it flags."""
        flags = state.phase is Phase.IN_FORCE and _CODE not in state.demoted
        return sum(flags and _is_crafted(state, row) for row in rows) / max(1, len(rows))

    def _state(self) -> SourceState:
        with self.database.read() as session:
            return read_states(session).get(_SOURCE, SourceState())

    def _honest(self, state: SourceState) -> RequestRecord:
        features = self.rows.clean[int(self._random.integers(len(self.rows.clean)))]
        return self._record(f"ip:10.{self._random.integers(_HONEST_CLIENTS)}.0.7", features, state)

    def _hostile(self, poison: Poison, night: int, state: SourceState) -> RequestRecord:
        clean, attacked = self.rows.attacks[int(self._random.integers(len(self.rows.attacks)))]
        features = blend(clean, attacked, poison.strength(night))
        client = f"ip:172.{16 + self._random.integers(poison.clients)}.0.7"
        return self._record(client, features, state)

    def _record(self, client: str, features: Features, state: SourceState) -> RequestRecord:
        number = new_request_id(self.now)
        is_crafted = _is_crafted(state, features)
        return RequestRecord(
            request_id=number,
            received_at=self.now,
            client=client,
            route="api",
            stage=Stage.PARSED,
            verdict=Verdict.FLAG if is_crafted else Verdict.PASS,
            status=200,
            reasons=(_CODE,) if is_crafted else (),
            content_sha256=number.replace("-", "") * 2,
            segmenter=_SOURCE,
            features=FeatureVector.of(dict(features)),
            sample_family=number,
        )


def blend(clean: Features, attacked: Features, strength: float) -> dict[str, float]:
    """Between a clean picture and its attack, on the scale on which lines are drawn.

    >>> blend({"js_consensus": 0.01}, {"js_consensus": 0.04}, 1.0)["js_consensus"]
    0.04
    """
    if strength >= 1:
        return dict(attacked)
    return {
        name: _between(clean[name], value, strength)
        for name, value in attacked.items()
        if name in clean
    }


def usable(features: Features) -> dict[str, float]:
    """Those numbers that a record keeps."""
    return {name: value for name, value in features.items() if name in FEATURE_NAMES}


def _between(low: float, high: float, strength: float) -> float:
    if low < 0 or high < 0:
        return low + strength * (high - low)
    logs = (1 - strength) * log(low + _FLOOR) + strength * log(high + _FLOOR)
    return max(0.0, exp(logs) - _FLOOR)


def _is_crafted(state: SourceState, features: Features) -> bool:
    baseline = state.baseline
    return baseline is not None and baseline.cascade(features).value >= baseline.threshold(_RATE)

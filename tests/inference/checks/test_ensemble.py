"""Ensembles within a policy and a budget, by a clock that the tests move."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectors.baseline.phases import Phase, SourceState
from detectors.findings import Finding
from detectors.parsing import Image, Parsing
from detectors.rule_book import TROUSERS_WITHOUT_FEET
from inference.checks.ensemble import EnsembleCheck
from inference.checks.run import run_check
from inference.ensemble.budget import Budget, Budgets
from inference.ensemble.draws import Draws
from inference.ensemble.policy import EnsembleMode, EnsemblePolicy
from inference.ensemble.recipe import Recipe
from inference.ensemble.tile_search import TileRecipe
from inference.gate.faces import FacePrior
from inference.gate.media import MediaType
from inference.gate.screen import Decoded, InFile, Screened
from inference.metrics import Metrics
from inference.results.content import Content
from tests.inference.check_cases import case_of

ODD = (Finding(TROUSERS_WITHOUT_FEET),)
NORMAL = {"entropy_foreground": 0.2}
FULL = Recipe(members=5, scale=1.0, squeezes=True, patches=True)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Slow:
    """Sees nothing but background, and takes a second for each picture."""

    name, digest, labels = "slow", "0" * 64, ("background", "face")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def parse(self, image: Image) -> Parsing:
        raise NotImplementedError

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        self._clock.now += len(pictures)
        return [np.array([[[1.0]], [[0.0]]], dtype=np.float32) for _ in pictures]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def check(clock: Clock) -> EnsembleCheck:
    return EnsembleCheck(
        recipe=FULL,
        policy=EnsemblePolicy(EnsembleMode.SUSPICIOUS),
        budgets=Budgets.one(Budget(1.0)),
        metrics=Metrics(),
        state_of=lambda _: SourceState(Phase.IN_FORCE),
        is_sampled=lambda _: False,
        draws=Draws.keyed(b"secret"),
        clock=clock,
    )


@pytest.fixture
def content() -> Content:
    image = np.zeros((8, 8, 3), dtype=np.uint8)
    parsing = Parsing(
        np.array([[[1.0]], [[0.0]]], dtype=np.float32), np.zeros((8, 8), np.uint8), Slow.labels
    )
    return Content(_screened(image), parsing, NORMAL, ())


def _screened(image: Image) -> Screened:
    return Screened(
        Decoded(image, MediaType.PNG, (), 1.0, 1, InFile(*image.shape[:2])),
        FacePrior(tuple),
        {},
        (),
    )


def _measure(
    check: EnsembleCheck, content: Content, findings: Sequence[Finding], forward_ms: float | None
) -> dict[str, float]:
    assert isinstance(check.clock, Clock)
    case = case_of(content, Slow(check.clock), findings, forward_ms)
    return dict(run_check(check, case, check.metrics).features)


def _outcomes(check: EnsembleCheck) -> dict[str, float]:
    (family,) = check.metrics.ensembles.collect()
    return {
        sample.labels["outcome"]: sample.value
        for sample in family.samples
        if sample.name.endswith("_total")
    }


def test_what_is_normal_costs_nothing(check: EnsembleCheck, content: Content, clock: Clock) -> None:
    assert _measure(check, content, (), 100) == {}
    assert clock.now == 1_000
    assert _outcomes(check) == {"not_chosen": 1}


def test_what_is_odd_is_looked_at_in_full_and_its_cost_is_told(
    check: EnsembleCheck, content: Content
) -> None:
    found = _measure(check, content, ODD, 100)
    assert (found["ensemble_ms"], found["ensemble_passes"]) == (12_000, 12)
    assert found["hidden_area_share"] == 0
    assert _outcomes(check) == {"full": 1}


def test_always_takes_the_members_of_what_is_normal(check: EnsembleCheck, content: Content) -> None:
    check = replace(check, policy=EnsemblePolicy(EnsembleMode.ALWAYS))
    found = _measure(check, content, (), 100)
    assert (found["ensemble_passes"], "js_jpeg" in found) == (5, False)
    assert _outcomes(check) == {"members": 1}


@pytest.mark.parametrize(
    ("forward_ms", "outcome"), [(800, "full"), (1_500, "members"), (2_100, "too_slow")]
)
def test_what_would_take_too_long_is_cut_or_left(
    check: EnsembleCheck, content: Content, forward_ms: float, outcome: str
) -> None:
    """In full it costs 11.1 passes of full size, the members five; 10 seconds are allowed."""
    _measure(check, content, ODD, forward_ms)
    assert _outcomes(check) == {outcome: 1}


@pytest.mark.parametrize(
    ("forward_ms", "outcome"), [(400, "full"), (800, "without_tiles"), (1_500, "members")]
)
def test_the_search_for_a_tile_is_the_first_to_be_left_out(
    check: EnsembleCheck, content: Content, forward_ms: float, outcome: str
) -> None:
    """It costs four passes of full size more."""
    check = replace(check, recipe=replace(FULL, tiles=TileRecipe()))
    found = _measure(check, content, ODD, forward_ms)
    assert _outcomes(check) == {outcome: 1}
    assert ("trigger_score" in found) == (outcome == "full")


def test_a_tile_that_hides_something_is_a_finding(
    check: EnsembleCheck, content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Black is a trigger: nothing is seen while any of it is left."""

    def seen(_self: object, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        face = [float(picture.min() > 0) for picture in pictures]
        return [
            np.stack([np.full((32, 32), 1 - each), np.full((32, 32), each)]).astype(np.float32)
            for each in face
        ]

    monkeypatch.setattr(Slow, "probabilities", seen)
    image = np.full((64, 64, 3), 200, dtype=np.uint8)
    image[30:32, 30:32] = 0
    content = replace(content, screening=_screened(image))
    check = replace(check, recipe=replace(FULL, tiles=TileRecipe()))
    found = check.run(case_of(content, Slow(Clock()), ODD, 100))
    assert [each.rule.code for each in found.findings] == ["trigger_suspected"]
    assert found.features["trigger_score"] == pytest.approx(1)


def test_a_used_up_budget_skips_looks_until_it_fills_again(
    check: EnsembleCheck, content: Content, clock: Clock
) -> None:
    check = replace(check, budgets=Budgets.one(Budget(0.1)))
    assert _measure(check, content, ODD, 100)
    clock.now -= 12
    assert _measure(check, content, ODD, 100) == {}
    clock.now += 100
    assert _measure(check, content, ODD, 100)
    assert _outcomes(check) == {"full": 2, "over_budget": 1}


@pytest.mark.parametrize(
    ("phase", "is_quiet", "outcome"),
    [
        (Phase.LEARNING, True, "full"),
        (Phase.LEARNING, False, "over_budget"),
        (Phase.IN_FORCE, False, "full"),
    ],
)
def test_to_learn_nothing_is_taken_from_those_who_would_have_to_wait(
    check: EnsembleCheck, content: Content, phase: Phase, is_quiet: bool, outcome: str
) -> None:
    budgets = Budgets(Budget(1.0), Budget(0), lambda: is_quiet)
    check = replace(
        check, budgets=budgets, state_of=lambda _: SourceState(phase), is_sampled=lambda _: True
    )
    _measure(check, content, (), 100)
    assert _outcomes(check) == {outcome: 1}


def test_a_remembered_parse_is_judged_by_the_last_measured_time(
    check: EnsembleCheck, content: Content
) -> None:
    _measure(check, content, (), 2_100)
    _measure(check, content, ODD, None)
    assert _outcomes(check) == {"not_chosen": 1, "too_slow": 1}


def test_numbers_that_cannot_be_are_a_fault_and_not_recorded(
    check: EnsembleCheck, content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nonsense(_self: object, pictures: Sequence[Image], scale: float) -> Sequence[Any]:
        values = (7.0 * (index % 2) for index in range(len(pictures)))
        return [np.array([[[0.0]], [[value]]], dtype=np.float32) for value in values]

    monkeypatch.setattr(Slow, "probabilities", nonsense)
    assert _measure(check, content, ODD, 100) == {}
    assert _outcomes(check) == {"fault": 1}


def test_a_fault_is_counted_and_charged(
    check: EnsembleCheck, content: Content, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: object, pictures: object, scale: float) -> object:
        clock.now += 500
        raise RuntimeError("The network is broken.")

    monkeypatch.setattr(Slow, "probabilities", broken)
    assert _measure(check, content, ODD, 100) == {}
    assert _outcomes(check) == {"fault": 1}
    assert check.metrics.registry.get_sample_value("maskwatch_faults_total", {"part": "ensemble"})
    clock.now -= 500
    assert _measure(check, content, ODD, 100) == {}
    assert _outcomes(check) == {"fault": 1, "over_budget": 1}

"""First look, ensemble and crafted in a row, with a baseline whose lines are drawn by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan, log
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.random import default_rng

from detectors.baseline.attack_evidence import EVIDENCE
from detectors.baseline.baseline import Baseline, Expectation, Line
from detectors.baseline.phases import Phase, SourceState
from detectors.findings import Finding, Place
from detectors.parsing import Image, Parsing
from detectors.picture.colour_detail import colour_detail_place, colour_detail_tile
from detectors.registry import FeatureVector
from detectors.rule_book import TROUSERS_WITHOUT_FEET
from inference.checks.base import Check, CheckResult
from inference.checks.catalogue import every_look
from inference.checks.crafted import CraftedCheck
from inference.checks.ensemble import EnsembleCheck
from inference.checks.first_look import FirstLookCheck
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
from inference.segmenters.base import Segmenter
from tests.inference.check_cases import case_of, with_changed

ODD = (Finding(TROUSERS_WITHOUT_FEET),)
LABELS = ("background", "face")
DRAWS = Draws.keyed(b"secret")
UPPER_HALF = Place(left=0, top=0, right=64, bottom=32)


class Bright:
    """Calls bright pixels a face; counts what it was shown."""

    name, digest, labels = "bright", "0" * 64, LABELS

    def __init__(self) -> None:
        self.calls: list[int] = []

    def parse(self, image: Image) -> Parsing:
        raise NotImplementedError

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        self.calls.append(len(pictures))
        return [seen(picture) for picture in pictures]


class Broken(Bright):
    """Fails from a call on."""

    def __init__(self, good_calls: int) -> None:
        super().__init__()
        self._good_calls = good_calls

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        if len(self.calls) == self._good_calls:
            raise RuntimeError("The network is broken.")
        return super().probabilities(pictures, scale)


def seen(image: Image) -> Any:
    small = cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA)
    face = (small.mean(axis=2) > 128).astype(np.float32)
    return np.stack([1 - face, face])


def _picture() -> Image:
    """Bright above, dark below."""
    image = np.full((64, 64, 3), 30, np.uint8)
    image[:32] = 220
    return image


def _content(image: Image, *, is_lost: bool, **features: float) -> Content:
    """What was measured on a picture; the parse sees its face unless that is lost."""
    parse = seen(np.zeros_like(image)) if is_lost else seen(image)
    parsing = Parsing(parse, np.zeros(image.shape[:2], np.uint8), LABELS)
    decoded = Decoded(image, MediaType.PNG, (), 1.0, 1, InFile(*image.shape[:2]))
    measured = {
        "jpeg_blockiness": 1.0,
        "colour_detail_tile": colour_detail_tile(image),
        "foreground_share": 0.5,
        **features,
    }
    return Content(Screened(decoded, FacePrior(tuple), {}, ()), parsing, measured, ())


def _clean() -> Content:
    return _content(_picture(), is_lost=False)


def _attacked() -> Content:
    return _content(_picture(), is_lost=True)


def _known() -> Baseline:
    """Each part of evidence may reach 0.05, by whatever it is explained; a printed colour 20."""
    expected = {"colour_detail_tile": 20.0}
    expectations = tuple(
        Expectation(
            evidence,
            tuple(
                Line(
                    part,
                    log(expected.get(part.factors[0], 0.05)),
                    (0.0,) * len(part.predictors),
                    1.0,
                )
                for part in evidence.parts
            ),
            1.0,
        )
        for evidence in EVIDENCE
        if not evidence.is_optional
    )
    scores = tuple(float(each) for each in np.linspace(0, 1, 101))
    return Baseline("0" * 64, expectations, 0.5, scores)


@dataclass(frozen=True)
class Cascade:
    """The checks that look again, one after the other."""

    checks: tuple[Check, ...]
    metrics: Metrics

    def run(
        self,
        segmenter: Segmenter,
        content: Content,
        findings: Sequence[Finding],
        forward_ms: float | None,
    ) -> CheckResult:
        """What they add to a case that was measured before."""
        case = case_of(content, segmenter, findings, forward_ms)
        known, total = len(case.findings), CheckResult()
        for check in self.checks:
            result = run_check(check, case, self.metrics)
            case = case.plus(result)
            total = replace(total, features={**total.features, **result.features})
        return replace(total, findings=case.findings[known:])

    def changed(self, name: str, **changes: object) -> "Cascade":
        """The same with fields of one check changed."""
        return replace(self, checks=with_changed(self.checks, name, **changes))

    def judged_by(self, baseline: Baseline | None) -> "Cascade":
        """The same with another baseline, or none."""
        changed = self
        for check in self.checks:
            changed = changed.changed(
                check.name, state_of=lambda _: SourceState(Phase.IN_FORCE, baseline)
            )
        return changed


@pytest.fixture
def cascade() -> Cascade:
    metrics = Metrics()

    def state_of(digest: str) -> SourceState:
        return SourceState(Phase.IN_FORCE, _known() if digest == "0" * 64 else None)

    ensemble = EnsembleCheck(
        recipe=Recipe(members=5),
        policy=EnsemblePolicy(EnsembleMode.SUSPICIOUS),
        budgets=Budgets.one(Budget(1.0)),
        metrics=metrics,
        state_of=state_of,
        is_sampled=lambda _: False,
        draws=DRAWS,
    )
    first_look = FirstLookCheck(state_of, lambda _: False, DRAWS)
    return Cascade((first_look, ensemble, CraftedCheck(state_of)), metrics)


def _faults(cascade: Cascade, part: str) -> float | None:
    found = cascade.metrics.registry.get_sample_value("maskwatch_faults_total", {"part": part})
    return found or None


@pytest.mark.parametrize(("findings", "calls"), [((), []), (ODD, [5])])
def test_without_a_baseline_only_the_policy_decides(
    cascade: Cascade, findings: Sequence[Finding], calls: list[int]
) -> None:
    segmenter = Bright()
    found = cascade.judged_by(None).run(segmenter, _attacked(), findings, 1.0)
    assert segmenter.calls == calls
    assert found.findings == ()
    assert "tamper_score" not in found.features
    assert not any(name.startswith("glance") for name in found.features)


def test_a_first_look_that_is_normal_costs_one_pass(cascade: Cascade) -> None:
    segmenter = Bright()
    found = cascade.run(segmenter, _clean(), (), 1.0)
    assert segmenter.calls == [1]
    assert found.features["ensemble_passes"] == 1
    assert found.features["ensemble_ms"] == found.features["glance_ms"] > 0
    assert found.features["tamper_score"] < 0.5
    assert "js_consensus" not in found.features
    assert found.findings == ()
    FeatureVector.of(found.features)


def test_a_first_look_that_is_switched_off_costs_nothing_until_a_baseline_is_learnt(
    cascade: Cascade,
) -> None:
    segmenter = Bright()
    off = cascade.changed("first_look", is_on=False)
    found = off.run(segmenter, _clean(), (), 1.0)
    assert segmenter.calls == []
    assert "glance_divergence" not in found.features
    check = FirstLookCheck(lambda _: SourceState(), lambda _: False, DRAWS, is_on=False)
    assert "glance_divergence" in check.for_learning().run(case_of(_clean(), segmenter)).features


def test_a_first_look_that_is_odd_runs_the_ensemble(cascade: Cascade) -> None:
    segmenter = Bright()
    found = cascade.run(segmenter, _attacked(), (), 1.0)
    assert segmenter.calls == [1, 5]
    assert found.features["ensemble_passes"] == 6
    assert found.features["ensemble_ms"] > found.features["glance_ms"]
    assert found.features["js_consensus"] > 0
    FeatureVector.of(found.features)


def test_a_rule_that_fired_runs_the_ensemble_on_a_normal_first_look(cascade: Cascade) -> None:
    segmenter = Bright()
    found = cascade.run(segmenter, _clean(), ODD, 1.0)
    assert (segmenter.calls, found.findings) == ([1, 5], ())
    assert found.features["tamper_score"] < 0.5


def test_a_score_over_the_threshold_is_a_finding_with_evidence_and_places(
    cascade: Cascade,
) -> None:
    found = cascade.run(Bright(), _attacked(), (), 1.0)
    (finding,) = found.findings
    assert finding.rule.code == "adversarial_picture"
    score = found.features["tamper_score"]
    assert score > _known().threshold(0.005)
    assert finding.evidence["tamper_score"] == round(score, 3)
    assert list(finding.evidence)[1] == "torn_tile"
    assert finding.evidence["torn_tile"] == pytest.approx(log(log(2) / 0.05), abs=0.01)
    (place,) = finding.places
    assert place.bottom <= UPPER_HALF.bottom
    assert place.right - place.left == 16


def test_a_phantom_is_placed_where_it_was_seen(cascade: Cascade) -> None:
    """The parse sees a face all over a dark picture; no other look does."""
    dark = np.full((64, 64, 3), 30, np.uint8)
    content = replace(_content(dark, is_lost=True), parsing=_all_face())
    (finding,) = cascade.run(Bright(), content, (), 1.0).findings
    assert "phantoms" in finding.evidence
    assert Place(0, 0, 64, 64) in finding.places
    assert len(set(finding.places)) == len(finding.places)


def _all_face() -> Parsing:
    face = seen(np.full((64, 64, 3), 255, np.uint8))
    return Parsing(face, np.ones((64, 64), np.uint8), LABELS)


def test_printed_colours_are_placed_in_the_picture(cascade: Cascade) -> None:
    image = np.full((96, 96, 3), 90, np.uint8)
    image[24:48, 48:72] = default_rng(0).integers(0, 2, (24, 24, 3)) * 255
    content = _content(image, is_lost=False)
    (finding,) = cascade.run(Bright(), content, (), 1.0).findings
    assert finding.places[0] == colour_detail_place(image) == Place(48, 24, 72, 48)
    assert list(finding.evidence)[:2] == ["tamper_score", "printed_colours"]


def test_a_smaller_false_positive_rate_accuses_less(cascade: Cascade) -> None:
    calm = cascade.changed("crafted", false_positive_rate=1e-99)
    found = calm.run(Bright(), _attacked(), (), 1.0)
    assert found.findings == ()
    assert found.features["tamper_score"] > _known().threshold(0.005)


def test_what_cannot_be_judged_is_looked_at_again_and_not_accused(cascade: Cascade) -> None:
    blind = Baseline("0" * 64, (), 0.5, (0.0, 1.0))
    segmenter = Bright()
    found = cascade.judged_by(blind).run(segmenter, _attacked(), (), 1.0)
    assert segmenter.calls == [1, 5]
    assert isnan(found.features["tamper_score"])
    assert found.findings == ()
    FeatureVector.of(found.features)


def test_without_a_budget_the_first_look_judges_alone(cascade: Cascade) -> None:
    poor = cascade.changed("ensemble", budgets=Budgets.one(Budget(0)))
    segmenter = Bright()
    found = poor.run(segmenter, _attacked(), (), 1.0)
    assert segmenter.calls == [1]
    assert [each.rule.code for each in found.findings] == ["adversarial_picture"]


def test_a_fault_of_the_first_look_is_counted_and_costs_only_itself(cascade: Cascade) -> None:
    found = cascade.run(Broken(0), _attacked(), (), 1.0)
    assert (set(found.features), found.findings) == ({"tamper_score"}, ())
    assert (_faults(cascade, "first_look"), _faults(cascade, "ensemble")) == (1, None)
    alone = case_of(_attacked(), Broken(0), ODD, 1.0)
    assert run_check(cascade.checks[0], alone, cascade.metrics).features == {}
    assert cascade.run(Bright(), _attacked(), (), 1.0).findings


def test_a_fault_of_the_ensemble_leaves_the_first_look(cascade: Cascade) -> None:
    found = cascade.run(Broken(1), _attacked(), (), 1.0)
    assert (_faults(cascade, "first_look"), _faults(cascade, "ensemble")) == (None, 1)
    assert found.features["ensemble_passes"] == 1
    assert [each.rule.code for each in found.findings] == ["adversarial_picture"]


def test_to_learn_every_look_is_taken_and_nobody_accused(cascade: Cascade) -> None:
    never = EnsemblePolicy(EnsembleMode.NEVER)
    recipe = Recipe(5, squeezes=True, patches=True, tiles=TileRecipe())
    poor = cascade.changed(
        "ensemble", policy=never, budgets=Budgets.one(Budget(0)), max_ms=1, recipe=recipe
    )
    learner = replace(poor, checks=every_look(poor.checks))
    for content in (_clean(), _attacked()):
        segmenter = Bright()
        found = learner.run(segmenter, content, (), 1_000.0)
        assert segmenter.calls == [1, 10, 2]
        assert found.features["ensemble_passes"] == 13
        assert {"glance_divergence", "js_consensus", "js_jpeg"} <= found.features.keys()
        assert found.findings == ()


def test_a_picture_gets_the_same_draws_again_and_others_with_another_secret(
    cascade: Cascade,
) -> None:
    noise = default_rng(2).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    content = _content(noise, is_lost=False)

    def measured(secret: bytes) -> dict[str, float]:
        learner = replace(cascade, checks=every_look(cascade.checks))
        for check in ("first_look", "ensemble"):
            learner = learner.changed(check, draws=Draws.keyed(secret))
        found = learner.run(Bright(), content, (), 1.0).features
        kept = {n: v for n, v in found.items() if not n.endswith("_ms") and n != "tamper_score"}
        return {name: value for name, value in kept.items() if not isnan(value)}

    assert measured(b"one") == measured(b"one") != measured(b"two")

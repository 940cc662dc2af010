"""How checks are run: in order, alone or after others, and what a fault of one costs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf

import pytest
from structlog.testing import capture_logs

from detectors.findings import Finding, Place
from detectors.rule_book import NO_PERSON, SKIN_SHARE_LOW
from inference.checks.base import BadCheckList, Case, CheckResult, Needs, ensure_order
from inference.checks.run import run_check
from inference.metrics import Metrics
from inference.pipeline import Pipeline
from inference.service import Service
from store.requests.records import Trace
from tests.inference.check_cases import ARRIVAL, Blind, blank_content, case_of

UPPER_LEFT = Place(0, 0, 4, 4)
BEFORE = CheckResult(
    {"persons": 1.0, "holes": 2.0},
    (Finding(NO_PERSON),),
    Trace(b"data", (1,), "family"),
    {"persons": lambda: UPPER_LEFT},
)


@dataclass(frozen=True)
class Saying:
    """A check that says the same of everything, and keeps the cases that it was given."""

    result: CheckResult | Exception
    needs: Needs = Needs.REQUEST
    name: str = "saying"
    given: list[Case] = field(default_factory=list)

    def run(self, case: Case) -> CheckResult:
        self.given.append(case)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
def case() -> Case:
    return case_of(blank_content(), Blind(), forward_ms=12.0).plus(BEFORE)


def _faults(metrics: Metrics, part: str) -> float | None:
    return metrics.registry.get_sample_value("maskwatch_faults_total", {"part": part})


def test_a_case_collects_what_checks_say_and_of_two_features_the_later_counts(case: Case) -> None:
    case = case.plus(CheckResult({"holes": 3.0}, (Finding(SKIN_SHARE_LOW),)))
    assert case.features == {"persons": 1.0, "holes": 3.0}
    assert [each.rule for each in case.findings] == [NO_PERSON, SKIN_SHARE_LOW]
    assert case.trace == BEFORE.trace
    assert case.places["persons"]() == UPPER_LEFT


def test_only_a_check_that_says_so_is_given_what_came_before(case: Case) -> None:
    for needs in Needs:
        check = Saying(CheckResult(), needs)
        run_check(check, case, Metrics())
        [given] = check.given
        before = (given.features, given.findings, given.trace, given.places)
        if needs is Needs.FINDINGS:
            assert given is case
        else:
            assert before == ({}, (), None, {})
        assert (given.arrival, given.upload, given.parsing) == (ARRIVAL, case.upload, case.parsing)
        assert given.forward_ms == 12.0


@pytest.mark.parametrize("features", [{"persons": inf}, {"persons": -1.0}, {"unheard_of": 1.0}])
def test_numbers_that_cannot_be_are_a_fault(case: Case, features: Mapping[str, float]) -> None:
    metrics = Metrics()
    result = run_check(Saying(CheckResult(features, (Finding(NO_PERSON),))), case, metrics)
    assert (result.features, result.findings, result.has_failed) == ({}, (), True)
    assert _faults(metrics, "saying") == 1


def test_a_fault_is_counted_once_and_logged_with_the_request(case: Case) -> None:
    metrics = Metrics()
    with capture_logs() as said:
        result = run_check(Saying(RuntimeError("A test.")), case, metrics)
    assert result.has_failed
    assert _faults(metrics, "saying") == 1
    [line] = said
    assert (line["check"], line["request_id"]) == ("saying", ARRIVAL.request_id)
    assert line["log_level"] == "error"


def test_a_check_may_say_itself_that_something_is_missing(case: Case) -> None:
    metrics = Metrics()
    with capture_logs() as said:
        result = run_check(Saying(replace(BEFORE, has_failed=True)), case, metrics)
    assert (result.trace, said) == (BEFORE.trace, [])
    assert _faults(metrics, "saying") == 1


def test_what_a_check_needs_sets_its_place_in_the_list() -> None:
    by_needs = [Saying(CheckResult(), needs, needs.name) for needs in Needs]
    ensure_order(by_needs)
    with pytest.raises(BadCheckList, match="The check CONTENT needs less than the check REQUEST"):
        ensure_order([by_needs[1], by_needs[0], by_needs[2]])


def test_a_name_is_given_once() -> None:
    with pytest.raises(BadCheckList, match="Two checks are named saying"):
        ensure_order([Saying(CheckResult()), Saying(CheckResult())])


def test_a_pipeline_with_a_wrong_order_is_not_made(service: Service) -> None:
    pipeline: Pipeline = service.pipeline
    with pytest.raises(BadCheckList):
        replace(pipeline, checks=tuple(reversed(pipeline.checks)))

"""Topology as a check: judged by the limits of the model that parsed."""

from detectors.rule_book import NO_PERSON
from detectors.topology.topology_limits import DEFAULTS, TopologyLimits
from inference.checks.topology import TopologyCheck
from tests.inference.check_cases import Blind, blank_content, case_of


def test_the_limits_are_those_of_the_model_that_parsed() -> None:
    asked = []

    def limits_of(digest: str) -> TopologyLimits:
        asked.append(digest)
        return DEFAULTS

    result = TopologyCheck(limits_of).run(case_of(blank_content(), Blind()))
    assert asked == [Blind.digest]
    assert [finding.rule for finding in result.findings] == [NO_PERSON]
    assert result.features["persons"] == 0

"""The shipped baseline, and files that an operator names."""

from dataclasses import replace
from pathlib import Path

import pytest

from detectors.baseline.attack_evidence import EVIDENCE
from detectors.baseline.baseline import BaselineError
from detectors.baseline.baseline_text import to_json
from detectors.topology.topology_limits import DEFAULTS, TopologyLimits
from inference.ensemble.baselines import SHIPPED, Baselines, read_baseline
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.service import build_service
from inference.settings import ServiceSettings


def test_the_shipped_baseline_belongs_to_the_shipped_weights(
    segmenter: ReferenceSegmenter,
) -> None:
    shipped = Baselines.read(SHIPPED).of(segmenter.digest)
    assert shipped is not None
    # Its photos all show people.
    evidence = [each for each in EVIDENCE if not each.is_optional]
    assert [each.evidence for each in shipped.expectations] == evidence
    assert len(shipped.scores) >= 30
    assert shipped.look_again < shipped.threshold(0.005)


def test_another_model_has_no_baseline() -> None:
    assert Baselines.read(SHIPPED).of("0" * 64) is None
    assert Baselines().of("0" * 64) is None
    assert Baselines.read(SHIPPED).limits_of("0" * 64) == DEFAULTS


def test_the_limits_of_the_topology_rules_come_with_the_baseline(
    segmenter: ReferenceSegmenter,
) -> None:
    learnt = Baselines.read(SHIPPED).limits_of(segmenter.digest)
    assert learnt == TopologyLimits.of(learnt.list_learnt()) != DEFAULTS


def test_the_later_of_two_baselines_for_one_model_counts(tmp_path: Path) -> None:
    shipped, own = read_baseline(SHIPPED), tmp_path / "own.json"
    own.write_text(to_json(replace(shipped, look_again=0.25)))
    for files, again in (((SHIPPED, own), 0.25), ((own, SHIPPED), shipped.look_again)):
        found = Baselines.read(*files).of(shipped.segmenter)
        assert found is not None
        assert found.look_again == again


def test_a_missing_file_is_said_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match=r"gone\.json cannot be read: check MASKWATCH_BASELINE"):
        Baselines.read(SHIPPED, tmp_path / "gone.json")


@pytest.mark.parametrize("content", [b"", b"{}", b"\x89PNG", b"\xff\xfe"])
def test_a_foreign_file_is_said_to_be_one(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "foreign.json"
    file.write_bytes(content)
    with pytest.raises(BaselineError, match=r"foreign\.json"):
        read_baseline(file)


def test_a_service_does_not_start_on_a_foreign_file(tmp_path: Path) -> None:
    file = tmp_path / "foreign.json"
    file.write_text("{}")
    with pytest.raises(BaselineError, match="maskwatch model learn-baseline"):
        build_service(ServiceSettings(var_dir=tmp_path, baseline=file))

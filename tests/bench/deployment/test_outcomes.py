"""What clean and attacked files get, and what a killed run remembers of it."""

from dataclasses import dataclass, field
from dataclasses import replace as change
from pathlib import Path

import pytest

from bench.deployment.outcomes import Outcome, alarm_figures, detection_row, measure_files
from bench.detection.pictures.uploads import RAW, File
from detectors.findings import Finding, Severity
from detectors.registry import FeatureVector
from detectors.rule_book import ADVERSARIAL_PICTURE
from detectors.verdict import Verdict
from store.requests.records import RequestRecord
from tests.makers import make_record

COSTS = {"forward_ms": 80.0, "ensemble_ms": 80.0, "ensemble_passes": 1.0}
CLEAN = Outcome(RAW, "a", "pass", False, (), (), COSTS)
CRAFTED = change(
    CLEAN, verdict="flag", is_bad=True, weighing=("adversarial_picture",),
    recorded=("adversarial_picture",), features={**COSTS, "ensemble_passes": 13.0},
)  # fmt: skip


@dataclass
class Recorder:
    """Calls everything crafted, and counts what it is asked."""

    severity: Severity = Severity.BAD
    asked: list[bytes] = field(default_factory=list)

    def test(self, data: bytes) -> RequestRecord:
        """A record with one finding."""
        self.asked.append(data)
        rule = change(ADVERSARIAL_PICTURE, severity=self.severity)
        return make_record(
            verdict=Verdict.PASS if self.severity is Severity.ODD else Verdict.FLAG,
            findings=(Finding(rule, {}),),
            reasons=(rule.code,),
            features=FeatureVector.of({"forward_ms": 10.0, "tamper_score": 1.5}),
        )


def test_alarms_costs_and_ensembles_are_shares_of_the_clean_files() -> None:
    figures = alarm_figures([CLEAN, CLEAN, CLEAN, CRAFTED])
    assert (figures["n"], figures["flagged"], figures["bad"]) == (4, 0.25, 0.25)
    assert figures["crafted"] == figures["by_rule"]["adversarial_picture"] == 0.25
    assert (figures["cost_ratio"], figures["passes"], figures["ensembles"]) == (2.0, 2.0, 0.25)


def test_only_what_weighs_is_found() -> None:
    recorded = change(CRAFTED, verdict="pass", weighing=())
    row = detection_row("pgd_e4", 3, [CRAFTED, recorded])
    assert (row["n"], row["tpr"], row["flagged"], row["recorded"]) == (2, 0.5, 0.5, 1.0)


def test_a_trigger_is_found_by_the_rule_of_triggers_alone() -> None:
    codes = ("adversarial_picture", "trigger_suspected")
    found = change(CRAFTED, weighing=codes, recorded=codes)
    unsearched = change(CLEAN, recorded=codes[1:])
    row = detection_row("trigger", 5, [found, CRAFTED, CRAFTED, unsearched])
    assert (row["rule"], row["tried"], row["n"]) == ("trigger_suspected", 5, 4)
    assert (row["tpr"], row["flagged"], row["recorded"], row["ensembles"]) == (
        0.25,
        0.75,
        0.5,
        0.75,
    )


def test_an_attack_that_never_succeeded_has_no_rate_to_divide_by() -> None:
    assert detection_row("pgd_e4", 3, [])["n"] == 0


def test_what_was_measured_is_not_sent_again(tmp_path: Path) -> None:
    files = [File(RAW, name, name.encode()) for name in ("a", "b")]
    memory, first, second = tmp_path / "clean.jsonl", Recorder(), Recorder()
    before = measure_files(first, files, memory)
    assert measure_files(second, [*files, File(RAW, "c", b"c")], memory)[:2] == before
    assert (first.asked, second.asked) == ([b"a", b"b"], [b"c"])


def test_half_a_line_is_measured_again(tmp_path: Path) -> None:
    memory, recorder = tmp_path / "clean.jsonl", Recorder()
    measure_files(recorder, [File(RAW, "a", b"a")], memory)
    memory.write_text(memory.read_text()[:-20])
    measure_files(recorder, [File(RAW, "a", b"a")], memory)
    assert recorder.asked == [b"a", b"a"]


@pytest.mark.parametrize("severity", [Severity.ODD, Severity.BAD])
def test_an_odd_finding_is_recorded_and_does_not_weigh(tmp_path: Path, severity: Severity) -> None:
    [outcome] = measure_files(Recorder(severity), [File(RAW, "a", b"a")], tmp_path / "a.jsonl")
    is_bad = severity is Severity.BAD
    assert (bool(outcome.weighing), outcome.is_bad, outcome.is_flagged) == (is_bad,) * 3
    assert outcome.recorded == ("adversarial_picture",)

"""What test files get of an installation, kept line by line, so that a killed run goes on."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from math import isnan
from pathlib import Path
from statistics import median
from typing import Any, Protocol

from bench.detection.pictures.uploads import File
from bench.detection.trigger.printed import TRIGGER
from detectors.findings import Severity
from detectors.rule_book import ADVERSARIAL_PICTURE, TRIGGER_SUSPECTED
from detectors.verdict import Verdict
from store.requests.records import RequestRecord

_CRAFTED = ADVERSARIAL_PICTURE.code
# Which rule has to flag for an attack to be found, of those that are not called crafted.
_FINDING_RULES = {TRIGGER: TRIGGER_SUSPECTED.code}
_FEATURES = (
    *("tamper_score", "trigger_score", "forward_ms", "ensemble_ms", "ensemble_passes"),
    "entropy_foreground",
)
_ONE_LOOK = 1


@dataclass(frozen=True)
class Outcome:
    """What one file gets.

    Attributes:
        kind: ``raw`` or the name of an attack.
        weighing: codes of the findings that flag; of a refused file, why.
        recorded: codes of all findings.
        features: some of what was measured.
    """

    kind: str
    photo: str
    verdict: str
    is_bad: bool
    weighing: tuple[str, ...]
    recorded: tuple[str, ...]
    features: Mapping[str, float]

    @property
    def is_flagged(self) -> bool:
        """Whether the verdict is another than `pass`."""
        return self.verdict != Verdict.PASS.value


class Tester(Protocol):
    """Says what a file gets."""

    def test(self, data: bytes) -> RequestRecord:
        """The record of a file that is no traffic."""
        ...


def measure_files(installation: Tester, files: Iterable[File], memory: Path) -> list[Outcome]:
    """What each file gets; those that the memory holds are not sent again."""
    known = _read(memory)
    outcomes = []
    for file in files:
        key = sha256(file.content).hexdigest()
        if key not in known:
            known[key] = _outcome_of(file, installation.test(file.content))
            with memory.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"key": key, **asdict(known[key])}) + "\n")
        outcomes.append(known[key])
    return outcomes


def alarm_figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """How many of clean files are flagged, by what, and what they cost."""
    n = len(outcomes)
    rules = Counter(code for each in outcomes for code in each.weighing)
    recorded = Counter(code for each in outcomes for code in each.recorded)
    return {
        "n": n,
        "flagged": sum(each.is_flagged for each in outcomes) / n,
        "bad": sum(each.is_bad for each in outcomes) / n,
        "crafted": rules[_CRAFTED] / n,
        "by_rule": {code: count / n for code, count in rules.most_common()},
        "recorded": {code: count / n for code, count in recorded.most_common()},
        **_cost_figures([each.features for each in outcomes]),
    }


def detection_row(attack: str, tried: int, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """How many successful attacks are found by their rule, and how many are flagged by any."""
    n = max(1, len(outcomes))
    rule = _FINDING_RULES.get(attack, _CRAFTED)
    return {
        "attack": attack,
        "rule": rule,
        "tried": tried,
        "n": len(outcomes),
        "tpr": sum(rule in each.weighing for each in outcomes) / n,
        "flagged": sum(each.is_flagged for each in outcomes) / n,
        "recorded": sum(rule in each.recorded for each in outcomes) / n,
        "ensembles": sum(_has_ensemble(each.features) for each in outcomes) / n,
    }


def _cost_figures(features: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Parse and looks over the parse, as a median, and how many pay for more than one look."""
    measured = [each for each in features if each.get("forward_ms")]
    if not measured:
        return {"cost_ratio": 0.0, "passes": 0.0, "ensembles": 0.0}
    passes = [1 + each.get("ensemble_passes", 0.0) for each in measured]
    ensembles = sum(map(_has_ensemble, measured)) / len(measured)
    return {
        "cost_ratio": median(
            1 + each.get("ensemble_ms", 0.0) / each["forward_ms"] for each in measured
        ),
        "passes": median(passes),
        "ensembles": ensembles,
    }


def _has_ensemble(features: Mapping[str, float]) -> bool:
    return features.get("ensemble_passes", 0.0) > _ONE_LOOK


def _outcome_of(file: File, record: RequestRecord) -> Outcome:
    flags = {f.rule.code for f in record.findings if f.rule.severity is not Severity.ODD}
    if record.verdict is Verdict.REFUSE:
        flags |= set(record.reasons)
    values = record.features.collect_values() if record.features else {}
    return Outcome(
        file.kind,
        file.photo,
        record.verdict.value,
        any(finding.rule.severity is Severity.BAD for finding in record.findings),
        tuple(sorted(flags)),
        record.reasons,
        {name: values[name] for name in _FEATURES if not isnan(values.get(name, float("nan")))},
    )


def _read(memory: Path) -> dict[str, Outcome]:
    """The whole lines; one that a killed run left half written is done again."""
    known: dict[str, Outcome] = {}
    lines = memory.read_text(encoding="utf-8").splitlines() if memory.is_file() else []
    for line in lines:
        try:
            data = json.loads(line)
            key = data.pop("key")
            for name in ("weighing", "recorded"):
                data[name] = tuple(data[name])
            known[key] = Outcome(**data)
        except (ValueError, TypeError, KeyError):
            continue
    return known

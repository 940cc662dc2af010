"""Plays a deployment through the real pipeline, with the jobs in between."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from pydantic import SecretStr
from rich.console import Console

from bench.deployment.traffic import Message
from detectors.findings import Severity
from detectors.rule_book import ADVERSARIAL_PICTURE
from detectors.verdict import Verdict
from inference.ensemble.sources import LearntSources
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from inference.upload import Arrival, Upload
from jobs.baselines import learn_baseline
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.requests.records import RequestRecord
from store.requests.request_ids import new_request_id

# How often the job runs; it is every minute in a deployment.
_EVERY = 50
_SECRET = SecretStr("deployment benchmark")
# By hand: neither sampled nor counted, so that testing changes nothing.
_TEST_ROUTE = "cli"


@dataclass(frozen=True)
class Attacked:
    """Attacked pictures that are found or not, by the name of their attack."""

    pictures: Mapping[str, Sequence[bytes]]


@dataclass
class Player:
    """A fresh installation and what is sent to it."""

    service: Service
    console: Console

    def send(self, message: Message) -> None:
        """One request of the traffic."""
        self._handle(message.data, message.client, "api")

    def learn(self) -> None:
        """Run the job, and let the service know what it learnt."""
        settings = JobSettings(var_dir=self.service.settings.store.var_dir)
        now = datetime.now(UTC)
        outcome = learn_baseline.run(JobContext(self.service.database, settings, now))
        assert isinstance(self.service.sources, LearntSources)  # noqa: S101 - by its settings
        self.service.sources.refresh()
        self.console.print(outcome.sentence)

    def measure(self, tests: Sequence[bytes], attacked: Attacked) -> dict[str, object]:
        """What clean test photos and attacked ones get now."""
        records = [self._handle(data, "cli:local", _TEST_ROUTE) for data in tests]
        return {
            **_measure_alarms(records),
            "state": self.service.describe_learning(),
            "cost_ratio": _measure_cost(records),
            "detection": [
                {"attack": name, "n": len(pictures), "tpr": self._measure_detection(pictures)}
                for name, pictures in attacked.pictures.items()
            ],
        }

    def _measure_detection(self, pictures: Sequence[bytes]) -> float:
        records = [self._handle(data, "cli:local", _TEST_ROUTE) for data in pictures]
        return sum(ADVERSARIAL_PICTURE.code in _flagging(each) for each in records) / len(records)

    def _handle(self, data: bytes, client: str, route: str) -> RequestRecord:
        now = datetime.now(UTC)
        arrival = Arrival(new_request_id(now), now, client, route)
        return self.service.pipeline.handle(arrival, Upload(data)).record


@contextmanager
def fresh_installation() -> Iterator[Player]:
    """A service with defaults on a database of its own; looks take what time they need."""
    with TemporaryDirectory() as folder:
        settings = ServiceSettings(
            var_dir=Path(folder),
            max_concurrency=1,
            evidence_sample_share=0.0,
            fingerprint_salt=_SECRET,
            # Requests come one after another here, and with pauses in a deployment.
            ensemble_budget=1.0,
        )
        service = build_service(settings)
        try:
            yield Player(service, Console())
        finally:
            service.close()


def play(
    player: Player,
    messages: Sequence[Message],
    checkpoints: Sequence[int],
    tests: Sequence[bytes],
    attacked: Attacked,
) -> Iterator[dict[str, object]]:
    """Send everything, and measure after so many requests."""
    for count, message in enumerate(messages, start=1):
        player.send(message)
        if count % _EVERY == 0 or count in checkpoints:
            player.learn()
        if count in checkpoints:
            yield {"after": count, **player.measure(tests, attacked)}


def _measure_alarms(records: Sequence[RequestRecord]) -> dict[str, object]:
    n = len(records)
    rules = Counter(code for record in records for code in _flagging(record))
    bad = sum(
        any(finding.rule.severity is Severity.BAD for finding in record.findings)
        for record in records
    )
    return {
        "n": n,
        "flagged": sum(record.verdict is not Verdict.PASS for record in records) / n,
        "bad": bad / n,
        "crafted": rules[ADVERSARIAL_PICTURE.code] / n,
        "by_rule": {code: count / n for code, count in rules.most_common()},
    }


def _flagging(record: RequestRecord) -> set[str]:
    """Rules whose findings weigh; of a refused request, why."""
    codes = {f.rule.code for f in record.findings if f.rule.severity is not Severity.ODD}
    return codes | (set(record.reasons) if record.verdict is Verdict.REFUSE else set())


def _measure_cost(records: Sequence[RequestRecord]) -> float:
    """Median of the time of parse and looks over that of the parse."""
    costs = [record.features.collect_values() for record in records if record.features]
    ratios = [
        1 + cost.get("ensemble_ms", 0.0) / cost["forward_ms"]
        for cost in costs
        if cost.get("forward_ms")
    ]
    return median(ratios) if ratios else 0.0

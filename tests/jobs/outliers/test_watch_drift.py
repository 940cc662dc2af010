"""The job ``watch_drift`` tells when traffic moves, and keeps pushed traffic out of models."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from numpy.random import default_rng

from detectors.drift.drift import DriftKind
from detectors.registry import FeatureVector
from jobs.context import JobContext, JobOutcome, Skipped
from jobs.outliers import retrain, watch_drift
from store.alert_rules.drift import PUSH_RULE, RULE, drift_condition
from store.alerts.alerts import Condition
from store.baselines.drifts import list_drifts
from store.engine.database import Database
from store.models.outlier_models import champion
from store.requests.record_store import add_records
from tests.makers import make_record

SOURCE = "6" * 64
DAY = timedelta(days=1)


@dataclass
class Senders:
    """Networks that send requests through one source."""

    database: Database
    seed: int = 0

    def send(
        self, at: datetime, networks: int, each: int, *, persons: float = 3.0, block: int = 0
    ) -> None:
        """Requests of ``networks`` networks with a habit each, in the hour before a time."""
        random = default_rng((self.seed, networks, each))
        self.seed += 1
        records = [
            make_record(
                request_id=str(uuid4()),
                received_at=at - timedelta(hours=1) * random.random(),
                client=f"ip:198.{block}.{network}.9",
                segmenter=SOURCE,
                features=FeatureVector.of(
                    {
                        "persons": persons + habit + 0.2 * random.random(),
                        "skin_share": 0.2 + 0.1 * random.random(),
                    }
                ),
            )
            for network, habit in enumerate(random.random(networks))
            for _ in range(each)
        ]
        with self.database.write() as session:
            add_records(session, records)


@pytest.fixture
def learnt(context: JobContext) -> JobContext:
    """A day after an outlier model was learnt from 60 networks."""
    Senders(context.database).send(context.now, 60, 6)
    retrain.run(context)
    return replace(context, now=context.now + DAY)


def _run(context: JobContext) -> tuple[JobOutcome, DriftKind]:
    outcome = watch_drift.run(context)
    with context.database.read() as session:
        [drift] = list_drifts(session)
    return outcome, DriftKind(drift.kind)


def _condition(context: JobContext, code: str, kind: DriftKind) -> Condition:
    with context.database.read() as session:
        [drift] = list_drifts(session)
        return drift_condition(code, kind, drift)


pytestmark = pytest.mark.usefixtures("few_trees")


def test_without_a_model_there_is_nothing_to_compare_with(context: JobContext) -> None:
    with pytest.raises(Skipped, match="no outlier model yet"):
        watch_drift.run(context)


def test_too_little_traffic_is_not_compared_and_that_is_said(learnt: JobContext) -> None:
    Senders(learnt.database, 1).send(learnt.now, 10, 5)
    said = "0 sources compared; 1 had too little traffic for that."
    assert watch_drift.run(learnt).sentence == said


def test_the_same_traffic_is_what_it_was(learnt: JobContext) -> None:
    Senders(learnt.database, 1).send(learnt.now, 60, 6)
    outcome, kind = _run(learnt)
    assert kind is DriftKind.NONE
    assert outcome.sentence == "1 source compared. The traffic of 666666666666 is what it was."
    assert not _condition(learnt, RULE.code, DriftKind.WORLD).active


def test_a_world_that_changed_is_told_with_its_features(learnt: JobContext) -> None:
    Senders(learnt.database, 1).send(learnt.now, 60, 6, persons=4.0)
    assert _run(learnt)[1] is DriftKind.WORLD
    condition = _condition(learnt, RULE.code, DriftKind.WORLD)
    assert condition.active
    assert condition.summary.startswith("The traffic of 666666666666 changed over many clients: ")
    assert "is higher for 100 % of the networks" in condition.summary
    assert not _condition(learnt, PUSH_RULE.code, DriftKind.PUSH).active


def test_a_push_is_told_with_its_senders_and_no_model_learns_from_it(learnt: JobContext) -> None:
    Senders(learnt.database, 1).send(learnt.now, 60, 6)
    Senders(learnt.database, 2).send(learnt.now, 2, 100, persons=9.0, block=51)
    assert _run(learnt)[1] is DriftKind.PUSH
    condition = _condition(learnt, PUSH_RULE.code, DriftKind.PUSH)
    assert condition.active
    assert {*condition.evidence["pushers"]} <= {"198.51.0.0/24", "198.51.1.0/24"}  # type: ignore[misc]
    assert "No outlier model is promoted meanwhile." in condition.summary
    before = _champion(learnt)
    outcome = retrain.run(learnt)
    assert "was held back. " in outcome.sentence
    assert "A few senders move the traffic of 666666666666" in outcome.sentence
    assert _champion(learnt) == before


def test_a_source_that_falls_silent_is_no_longer_accused(learnt: JobContext) -> None:
    Senders(learnt.database, 1).send(learnt.now, 60, 6, persons=4.0)
    _run(learnt)
    _, kind = _run(replace(learnt, now=learnt.now + 3 * DAY))
    assert kind is DriftKind.NONE


def _champion(context: JobContext) -> str:
    with context.database.read() as session:
        row = champion(session)
        assert row is not None
        return row.digest

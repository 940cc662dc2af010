"""Fixtures of the job tests: settings and a context per database, and traffic to work on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import uuid4

import numpy as np
import pytest

from detectors.registry import FEATURES, FeatureVector
from detectors.verdict import Verdict
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.engine.database import Database
from store.requests.record_store import add_records
from store.requests.records import RequestRecord, Stage
from store.settings import StoreSettings
from tests.jobs.nursery import Nursery, open_nursery
from tests.waiting import PATIENCE_SECONDS, be_patient

_HIGHEST = np.array([feature.high for feature in FEATURES])


class NewSettings(Protocol):
    def __call__(self, **changes: object) -> JobSettings: ...


@pytest.fixture
def settings(store_settings: StoreSettings) -> JobSettings:
    given = JobSettings(
        var_dir=store_settings.store.var_dir,
        database_url=store_settings.store.database_url,
        simulate_blocks=False,
        alert_min_requests=20,
        alert_min_clients=1,
    )
    return be_patient(given)


@pytest.fixture(autouse=True)
def schedulers_let_runs_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is cut off would use a database that its test has closed and dropped."""
    monkeypatch.setattr("jobs.executor._STOP_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr("jobs.scheduler._JOIN_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
def context(database: Database, settings: JobSettings, now: datetime) -> JobContext:
    return JobContext(database, settings, now)


@dataclass
class Traffic:
    """Writes requests of made-up clients into the store."""

    database: Database
    now: datetime
    seed: int = 0

    def clean(self, client: str, count: int, *, minutes_ago: float = 120) -> list[RequestRecord]:
        return self._add(self._record(client, minutes_ago, self._normal()) for _ in range(count))

    def clean_of_each(
        self, clients: Iterable[str], count: int, *, minutes_ago: float = 120
    ) -> list[RequestRecord]:
        """So many of each client, stored together."""
        return self._add(
            self._record(client, minutes_ago, self._normal())
            for client in clients
            for _ in range(count)
        )

    def wild(self, client: str, count: int, *, minutes_ago: float = 5) -> list[RequestRecord]:
        return self._add(self._record(client, minutes_ago, self._extreme()) for _ in range(count))

    def flagged(
        self,
        client: str,
        count: int,
        *,
        minutes_ago: float = 5,
        reason: str = "no_person_found",
        content_sha256: str | None = None,
    ) -> list[RequestRecord]:
        record = self._record(client, minutes_ago, self._normal(), Verdict.FLAG, (reason,))
        return self._add(
            replace(record, request_id=str(uuid4()), content_sha256=content_sha256)
            for _ in range(count)
        )

    def refused(
        self,
        client: str,
        count: int,
        *,
        minutes_ago: float = 5,
        stage: Stage = Stage.GATE,
        reason: str = "truncated",
    ) -> list[RequestRecord]:
        return self._add(
            self._record(client, minutes_ago, None, Verdict.REFUSE, (reason,), stage)
            for _ in range(count)
        )

    def later(self, **delta: float) -> "Traffic":
        return replace(self, now=self.now + timedelta(**delta), seed=self.seed + 1)

    def _add(self, made_up: Iterable[RequestRecord]) -> list[RequestRecord]:
        """Store records in one transaction."""
        records = list(made_up)
        with self.database.write() as session:
            assert add_records(session, records) == len(records)
        return records

    def _record(
        self,
        client: str,
        minutes_ago: float,
        features: FeatureVector | None,
        verdict: Verdict = Verdict.PASS,
        reasons: tuple[str, ...] = (),
        stage: Stage = Stage.PARSED,
    ) -> RequestRecord:
        return RequestRecord(
            request_id=str(uuid4()),
            received_at=self.now - timedelta(minutes=minutes_ago),
            client=client,
            route="api",
            stage=stage,
            verdict=verdict,
            status=200 if features else 422,
            reasons=reasons,
            features=features,
        )

    def _normal(self) -> FeatureVector:
        self.seed += 1
        noise = np.random.default_rng(self.seed).normal(0, 1, len(FEATURES))
        values = np.where(_HIGHEST <= 1, _HIGHEST * (0.5 + 0.02 * noise), 3 + 0.3 * noise)
        return FeatureVector(tuple(values.tolist()))

    def _extreme(self) -> FeatureVector:
        return FeatureVector.of({feature.name: min(feature.high, 1000.0) for feature in FEATURES})


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Forks processes that are killed in the middle of a job."""
    with open_nursery() as opened:
        yield opened


@pytest.fixture
def traffic(database: Database, now: datetime) -> Traffic:
    return Traffic(database, now)

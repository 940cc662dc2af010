"""Traffic whose looks a seeded generator draws, as a sample of a source."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from math import exp, nan
from uuid import uuid4

import pytest
from numpy.random import default_rng

from detectors.registry import FeatureVector
from detectors.verdict import Verdict
from jobs.baselines import learn_baseline
from jobs.context import JobContext, JobOutcome
from jobs.settings import JobSettings
from store.baselines.sources import list_sources
from store.engine.database import Database
from store.requests.record_store import add_records
from store.requests.records import RequestRecord
from store.tables.baseline_tables import SourceRow
from tests.makers import make_record

SOURCE = "5" * 64


@cache
def draw_features(seed: int, oddness: float = 1.0, trigger_score: float = nan) -> FeatureVector:
    """A clean picture: an unsure parse moves more; ``oddness`` is a factor on what looks show."""
    random = default_rng(seed)
    entropy, noise = random.uniform(0.05, 0.6), random.normal(0, 0.3, 6)
    return FeatureVector.of(
        {
            "colour_detail_tile": 4 * exp(noise[0]),
            "glance_tile_divergence": min(0.69, 0.05 * oddness * entropy * exp(noise[1])),
            "glance_withdrawn_share": min(1.0, 0.02 * oddness * entropy * exp(noise[2])),
            "glance_returned_person_share": min(1.0, 0.02 * oddness * entropy * exp(noise[4])),
            "js_consensus": min(0.69, 0.03 * oddness * entropy * exp(noise[3])),
            "foreground_share": (share := random.uniform(0.2, 0.5)),
            "entropy_mean": share * entropy,
            "glance_entropy": entropy,
            "entropy_foreground": entropy,
            "jpeg_blockiness": random.uniform(0.9, 1.3),
            "worst_skin_share": random.uniform(0.02, 0.4),
            "worst_trousers_gap": random.uniform(0, 0.05),
            "worst_faceless_hair": 0.0,
            "ensemble_passes": 13.0,
            "trigger_score": trigger_score,
        }
    )


@dataclass
class Deployment:
    """Sends requests of many clients and lets the job learn from them."""

    database: Database
    settings: JobSettings
    now: datetime
    seed: int = 0

    def send(
        self,
        count: int,
        clients: int = 150,
        *,
        oddness: float = 1.0,
        network: str = "10.{}.0.9",
        reasons: Iterable[str] = (),
        source: str = SOURCE,
        trigger_score: float = nan,
    ) -> None:
        """Store sampled requests, one after another client."""
        records = [
            self._record(
                network.format(place % clients), oddness, tuple(reasons), source, trigger_score
            )
            for place in range(count)
        ]
        with self.database.write() as session:
            add_records(session, records)

    def learn(self, *, later: timedelta = timedelta()) -> JobOutcome:
        """Run the job."""
        self.now += later
        return learn_baseline.run(JobContext(self.database, self.settings, self.now))

    def source(self) -> SourceRow:
        """The source as it is known now."""
        with self.database.read() as session:
            [row] = list_sources(session)
            session.expunge(row)
        return row

    def _record(
        self,
        address: str,
        oddness: float,
        reasons: tuple[str, ...],
        source: str,
        trigger_score: float,
    ) -> RequestRecord:
        self.seed += 1
        return make_record(
            received_at=self.now - timedelta(minutes=1),
            client=f"ip:{address}",
            verdict=Verdict.FLAG if reasons else Verdict.PASS,
            reasons=reasons,
            segmenter=source,
            content_sha256=f"{self.seed:064d}",
            features=draw_features(self.seed, oddness, trigger_score),
            sample_family=str(uuid4()),
        )


@pytest.fixture
def deployment(database: Database, settings: JobSettings, now: datetime) -> Deployment:
    return Deployment(database, settings, now)

"""Outliers that people labelled: made up, with a signal that labels can teach or without one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Unpack

import numpy as np
from sqlalchemy import select

from detectors.outliers.basis import BASIS
from detectors.registry import FeatureVector
from store.audit.actors import job
from store.engine.database import Database
from store.families.feedback import Feedback, Said, judge_request
from store.models.outlier_models import OutlierModelStore, promote
from store.requests.record_store import add_records
from store.requests.records import RequestRecord
from store.tables.request_tables import RequestRow
from tests.makers import RecordChanges, make_record, make_score


@dataclass
class Labelled:
    """Writes outliers and what people say of them.

    Attributes:
        model_id: of the champion that scored them.
    """

    database: Database
    var_dir: Path
    now: datetime
    seed: int = 0
    basis: str = "a basis"
    model_id: int = field(init=False)

    def __post_init__(self) -> None:
        """Promote an outlier model of the basis."""
        models = OutlierModelStore(self.var_dir)
        with self.database.write() as session:
            row = models.add(
                session,
                archive=f"a model of {self.basis}".encode(),
                kind="excess",
                rows=100,
                metrics={BASIS: self.basis},
                now=self.now,
            )
            promote(session, row.id, job("retrain"), self.now)
            self.model_id = row.id

    def outliers(
        self, count: int, *, attacks: bool, client: str | None = None, minutes_ago: int = 30
    ) -> list[str]:
        """Outliers that look like attacks, or not; their request ids.

        Args:
            client: without one, each has a client in a network of its own.
        """
        return self._keep(
            [self._draw(client or self._next_client(), attacks, minutes_ago) for _ in range(count)]
        )

    def unselected(self, p_value: float, **changes: Unpack[RecordChanges]) -> str:
        """A request that a scan scored and did not select; its request id."""
        values: RecordChanges = {
            "client": self._next_client(),
            "received_at": self.now - timedelta(minutes=5),
            **changes,
        }
        return self._keep([_Scored(make_record(**values), p_value, {}, is_outlier=False)])[0]

    def label(self, request_ids: Sequence[str], feedback: Feedback, who: str = "ada") -> None:
        """Let somebody say something of requests."""
        said = Said(feedback, who, "A test.", f"analyst:{who}")
        with self.database.write() as session:
            for request_id in request_ids:
                judge_request(session, request_id, said, self.now)

    def teach(self, confirmed: int, dismissed: int) -> tuple[list[str], list[str]]:
        """Labels that are right: attacks are confirmed, others are dismissed."""
        attacks = self.outliers(confirmed, attacks=True)
        others = self.outliers(dismissed, attacks=False)
        self.label(attacks, Feedback.CONFIRMED)
        self.label(others, Feedback.DISMISSED)
        return attacks, others

    def _next_client(self) -> str:
        self.seed += 1
        return f"ip:{20 + self.seed // 250}.{self.seed % 250}.113.7"

    def _draw(self, client: str, attack: bool, minutes_ago: int) -> "_Scored":
        self.seed += 1
        random = np.random.default_rng(self.seed)
        tampering = float(random.normal(1.5 if attack else -0.5, 0.5))
        record = make_record(
            client=client,
            received_at=self.now - timedelta(minutes=minutes_ago),
            features=FeatureVector.of({"width": 640.0, "tamper_score": tampering}),
        )
        name = "glance_divergence" if attack else "grey_entropy"
        distance = float(6 + random.exponential(4))
        p_value = float(random.uniform(0.0001, 0.01))
        return _Scored(record, p_value, {name: distance, "persons": 2.0}, is_outlier=True)

    def _keep(self, requests: Sequence["_Scored"]) -> list[str]:
        """Store them in one transaction; their request ids."""
        ids = [each.record.request_id for each in requests]
        with self.database.write() as session:
            assert add_records(session, [each.record for each in requests]) == len(requests)
            stored = select(RequestRow).where(RequestRow.request_id.in_(ids))
            keys = {row.request_id: row.id for row in session.scalars(stored)}
            session.add_all(
                make_score(
                    keys[each.record.request_id],
                    self.model_id,
                    self.now,
                    p_value=each.p_value,
                    outlier=each.is_outlier,
                    contributions=each.contributions,
                )
                for each in requests
            )
        return ids


@dataclass(frozen=True)
class _Scored:
    """A request, and what a scan says of it."""

    record: RequestRecord
    p_value: float
    contributions: dict[str, float]
    is_outlier: bool

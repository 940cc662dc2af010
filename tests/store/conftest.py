"""Fixtures of the store tests: records to store, and a champion to score them with."""

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

import pytest
from sqlalchemy import select

from detectors.verdict import Verdict
from store.audit.actors import job
from store.engine.database import Database
from store.models.outlier_models import NewScore, OutlierModelStore, add_scores, promote
from store.requests.record_store import add_record
from store.requests.records import RequestRecord, Stage
from store.settings import StoreSettings
from store.tables.request_tables import RequestRow


@pytest.fixture
def new_record(now: datetime) -> Callable[..., RequestRecord]:
    """A parsed request that passed, with changes."""

    def build(**changes: object) -> RequestRecord:
        usual: dict[str, object] = {
            "request_id": str(uuid4()),
            "received_at": now,
            "client": "ip:203.0.113.7",
            "route": "api",
            "stage": Stage.PARSED,
            "verdict": Verdict.PASS,
            "status": 200,
        }
        return RequestRecord(**{**usual, **changes})  # type: ignore[arg-type]

    return build


@pytest.fixture
def add(database: Database, new_record: Callable[..., RequestRecord]) -> Callable[..., int]:
    """Stores a request and gives its primary key."""

    def added(**changes: object) -> int:
        record = new_record(**changes)
        with database.write() as session:
            assert add_record(session, record)
            return session.scalars(
                select(RequestRow.id).where(RequestRow.request_id == record.request_id)
            ).one()

    return added


@pytest.fixture
def model_id(database: Database, store_settings: StoreSettings, now: datetime) -> int:
    """A promoted outlier model."""
    models = OutlierModelStore(store_settings.var_dir)
    with database.write() as session:
        row = models.add(
            session, archive=b"a model", kind="isolation_forest", rows=40, metrics={}, now=now
        )
        promote(session, row.id, job("retrain"), now)
        return row.id


@pytest.fixture
def score(database: Database, model_id: int, now: datetime) -> Callable[[int, bool], None]:
    """Scores a request: ``score(pk, outlier)``."""

    def scored(request_pk: int, outlier: bool) -> None:
        new = NewScore(request_pk, 0.6, 0.001 if outlier else 0.4, outlier, {"width": 3.5})
        with database.write() as session:
            add_scores(session, model_id, [new], now)

    return scored

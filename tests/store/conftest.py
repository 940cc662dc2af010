"""Fixtures of the store tests: records to store, and a champion to score them with."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, Unpack

import pytest
from sqlalchemy import select

from store.audit.actors import job
from store.engine.database import Database
from store.models.outlier_models import OutlierModelStore, promote
from store.requests.record_store import add_record
from store.settings import StoreSettings
from store.tables.request_tables import RequestRow
from tests.makers import RecordChanges, make_record, make_score


class Add(Protocol):
    """Stores a request and gives its primary key."""

    def __call__(self, **changes: Unpack[RecordChanges]) -> int: ...


@pytest.fixture
def add(database: Database) -> Add:
    """Stores a request and gives its primary key."""

    def added(**changes: Unpack[RecordChanges]) -> int:
        record = make_record(**changes)
        with database.write() as session:
            assert add_record(session, record)
            return session.scalars(
                select(RequestRow.id).where(RequestRow.request_id == record.request_id)
            ).one()

    return added


@pytest.fixture
def model_id(database: Database, store_settings: StoreSettings, now: datetime) -> int:
    """A promoted outlier model."""
    models = OutlierModelStore(store_settings.store.var_dir)
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
        p_value, contributions = 0.001 if outlier else 0.4, {"width": 3.5}
        new = make_score(
            request_pk, model_id, now, p_value=p_value, outlier=outlier, contributions=contributions
        )
        with database.write() as session:
            session.add(new)

    return scored

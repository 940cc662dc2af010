"""What families with outliers name."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bench.evening.scan.families import name_requests
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.engine.database import Database
from store.engine.schema.versions import upgrade
from store.models.outlier_models import OutlierModelStore
from store.requests.record_store import add_records
from store.tables.request_tables import RequestRow
from tests.makers import NOW, make_record, make_score

SEARCH, OTHER, LONE, FINDER = "ip:172.16.0.7", "ip:10.1.0.7", "ip:10.2.0.7", "ip:10.3.0.7"
CRAFTED = ("adversarial_picture",)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[JobContext]:
    settings = JobSettings(var_dir=tmp_path)
    with closing(Database.open(settings)) as database:
        upgrade(database)
        yield JobContext(database, settings, NOW)


def send(context: JobContext, client: str, count: int, reasons: tuple[str, ...] = ()) -> list[int]:
    records = [
        make_record(client=client, received_at=NOW - timedelta(minutes=9), reasons=reasons)
        for _ in range(count)
    ]
    with context.database.write() as session:
        add_records(session, records)
        ids = [record.request_id for record in records]
        return list(session.scalars(select(RequestRow.id).where(RequestRow.request_id.in_(ids))))


def call_outliers(context: JobContext, keys: list[int]) -> None:
    store = OutlierModelStore(context.settings.store.var_dir)
    with context.database.write() as session:
        model = store.add(session, archive=b"", kind="x", rows=9, metrics={}, now=NOW)
        session.add_all(make_score(key, model.id, NOW, p_value=0.001, outlier=True) for key in keys)


def test_the_last_queries_of_a_client_name_the_first_ones(context: JobContext) -> None:
    send(context, OTHER, 20)
    queries = send(context, SEARCH, 8)
    call_outliers(context, queries[-3:])
    assert name_requests(context) == set(queries)


def test_outliers_that_share_nothing_name_nobody(context: JobContext) -> None:
    [one, *_], [other, *_] = send(context, OTHER, 20), send(context, LONE, 20)
    call_outliers(context, [one, other])
    assert name_requests(context) == set()


def test_two_outliers_among_very_many_of_a_client_do_not_name_the_rest(context: JobContext) -> None:
    keys = send(context, OTHER, 40)
    call_outliers(context, keys[:2])
    assert name_requests(context) == set()


def test_a_family_of_findings_alone_is_not_the_scans(context: JobContext) -> None:
    send(context, FINDER, 4, CRAFTED)
    queries = send(context, SEARCH, 2)
    call_outliers(context, queries)
    assert name_requests(context) == set(queries)

"""The bench of the store, small: it measures what it says, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.store.backups import measure_backup
from bench.store.command import make_records, scratch, worst
from bench.store.ingest import measure_ingest
from bench.store.latency import measure_latency
from bench.store.pages import measure_pages
from bench.store.records import Traffic
from bench.store.servers import KINDS
from detectors.registry import FeatureVector
from store.pages.queries import DASHBOARD_QUERIES

pytestmark = pytest.mark.usefixtures("patient_servers")
VECTORS = [FeatureVector.of({"width": 640.0, "persons": 2.0})]
START = datetime(2026, 3, 1, tzinfo=UTC)


def test_traffic_is_the_same_each_time_and_in_order() -> None:
    traffic = Traffic(VECTORS, 500, START, timedelta(days=1))
    records = list(traffic.records(chunk=500))
    assert records == list(traffic.records(chunk=500))
    assert [record.received_at for record in records] == sorted(r.received_at for r in records)
    assert len({record.request_id for record in records}) == 500
    assert {record.verdict.value for record in records} == {"pass", "flag", "refuse"}
    assert list(replace(traffic, seed=1).records()) != records


@pytest.mark.parametrize("kind", KINDS)
def test_ingest_and_latency_are_positive(kind: str) -> None:
    with scratch() as folder:
        ingest = measure_ingest(kind, folder, make_records(VECTORS, 600))
    with scratch() as folder:
        latency = measure_latency(kind, folder, make_records(VECTORS, 40))
    assert min(*ingest.values(), *latency.values()) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_while_writing_is_sound(kind: str) -> None:
    with scratch() as folder:
        found = measure_backup(kind, folder, make_records(VECTORS, 2_000))
    assert found[f"backup_while_writing_{kind}"] == 1
    assert found[f"backup_records_{kind}"] >= 1_000


@pytest.mark.parametrize("kind", KINDS)
def test_every_read_of_the_pages_is_timed_and_the_records_are_kept(kind: str) -> None:
    with scratch() as folder:
        small = Traffic(VECTORS, 3_000, START, timedelta(days=2))
        found = [measure_pages(kind, folder, small, rounds=2) for _ in range(2)]
    for each in found:
        reads = each[f"page_queries_{kind}"]
        assert isinstance(reads, dict)
        assert set(reads) == {query.name for query in DASHBOARD_QUERIES}
    size = f"db_bytes_per_record_{kind}"
    assert found[0][size] == pytest.approx(found[1][size], rel=0.2)


def test_the_folder_of_a_server_can_be_entered(tmp_path: Path) -> None:
    with scratch() as folder:
        assert folder.stat().st_mode & 0o005 == 0o005
    assert tmp_path.exists()


def test_one_figure_stands_for_the_worse_of_both_databases() -> None:
    ratios = {"ingest_sqlite_ratio_vs_core": 1.5, "ingest_postgres_ratio_vs_core": 0.5}
    waits = {"strict_added_ms_p50_sqlite": 2.0, "strict_added_ms_p50_postgres": 4.0}
    assert worst(ratios | waits) == {"ingest_ratio_vs_core": 0.5, "strict_added_ms_p50": 4.0}

"""A family in a database, for the commands that show and judge it."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from detectors.verdict import Verdict
from jobs.context import JobContext
from jobs.outliers import group_families
from jobs.settings import JobSettings
from store.engine.start import open_database
from store.requests.record_store import add_records
from store.settings import StoreSettings
from tests.makers import make_record

ATTACKER = "ip:203.0.113.7"


@pytest.fixture
def request_ids(tmp_path: Path) -> list[str]:
    """A family of three requests."""
    now, settings = datetime.now(UTC), StoreSettings(var_dir=tmp_path / "var")
    records = [
        make_record(
            client=ATTACKER,
            received_at=now,
            verdict=Verdict.FLAG,
            reasons=("adversarial_picture",),
        )
        for _ in range(3)
    ]
    with closing(open_database(settings)) as database:
        with database.write() as session:
            add_records(session, records)
        group_families.run(JobContext(database, JobSettings(var_dir=tmp_path / "var"), now))
    return [record.request_id for record in records]

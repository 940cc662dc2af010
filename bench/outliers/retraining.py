"""How long a retraining takes, from the first read of the records to the promoted model."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from bench.outliers.stock import NOW, fill_store
from jobs.context import JobContext
from jobs.outliers.retrain import run
from jobs.settings import JobSettings
from store.engine.database import Database

_ROWS = 20_000


def measure_retraining() -> dict[str, float]:
    """Seconds for 20,000 clean records, with the default kind of model."""
    with TemporaryDirectory() as folder:
        settings = JobSettings(
            var_dir=Path(folder), training_rows=_ROWS, training_rows_per_client=_ROWS
        )
        database = Database.open(settings, 3600)
        fill_store(database, _ROWS)
        start, processor = perf_counter(), process_time()
        outcome = run(JobContext(database, settings, NOW + timedelta(hours=1)))
        seconds, processor_seconds = perf_counter() - start, process_time() - processor
        database.close()
    return {
        "retrain_seconds": seconds,
        "retrain_processor_seconds": processor_seconds,
        "retrain_rows": outcome.rows,
    }

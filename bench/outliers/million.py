"""A scan of a million records on SQLite, from the first read to the last commit."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import cast

import numpy as np
from sklearn.ensemble import IsolationForest

from bench.outliers.stock import GROUP, NOW, fill_store, made_up_rows
from detectors.outliers.model import OutlierModel
from detectors.registry import FEATURE_NAMES, FITTED_NAMES
from jobs.settings import JobSettings
from store.audit.actors import job
from store.engine.database import Database
from store.models.outlier_models import OutlierModelStore, promote

RECORDS = 1_000_000
_TRAINED, _TREES = 20_000, 200
_FITTED = [FEATURE_NAMES.index(name) for name in FITTED_NAMES]

# A process of its own: its peak is that of the scan, which loads no scikit-learn.
_SCAN = """
import json, re, sys
from datetime import datetime
from pathlib import Path
from time import perf_counter, process_time
from jobs.context import JobContext
from jobs.outliers.scan import scan
from jobs.settings import JobSettings
from store.engine.database import Database

def peak_mb():
    # Not that of getrusage: it begins with the memory of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) / 1024

settings = JobSettings(var_dir=Path(sys.argv[1]))
database = Database.open(settings, 3600)
before, start, processor = peak_mb(), perf_counter(), process_time()
result = scan(JobContext(database, settings, datetime.fromisoformat(sys.argv[2])))
figures = {
    "scan_1m_seconds": perf_counter() - start,
    "scan_processor_seconds": process_time() - processor,
    "scan_peak_mb": peak_mb(),
    "scan_start_mb": before,
    "scan_records": result.records,
    "scan_outliers": result.outliers,
}
database.close()
print(json.dumps(figures))
"""


def measure_million(records: int = RECORDS) -> dict[str, float]:
    """Seconds, peak memory, and the ratio to scikit-learn's scoring of as many rows in memory."""
    with TemporaryDirectory() as folder:
        make_store(Path(folder), records)
        time = (NOW + timedelta(days=1)).isoformat()
        command = [sys.executable, "-c", _SCAN, folder, time]
        run = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    ours = cast("dict[str, float]", json.loads(run.stdout))
    seconds, processor_seconds = _score_with_scikit_learn(records)
    return {
        **ours,
        "sklearn_seconds": seconds,
        "sklearn_processor_seconds": processor_seconds,
        "scan_ratio_vs_sklearn": ours["scan_1m_seconds"] / seconds,
        "scan_processor_ratio_vs_sklearn": ours["scan_processor_seconds"] / processor_seconds,
    }


def make_store(folder: Path, records: int) -> None:
    """Records, and a champion of the default kind."""
    settings = JobSettings(var_dir=folder)
    database = Database.open(settings)
    fill_store(database, records)
    kind = settings.training.outlier_model
    model = OutlierModel.fit(kind, made_up_rows(0, _TRAINED)[:, _FITTED], FITTED_NAMES, 0)
    store, archive = OutlierModelStore(folder), model.dumps()
    with database.write() as session:
        row = store.add(session, archive=archive, kind=kind, rows=_TRAINED, metrics={}, now=NOW)
        promote(session, row.id, job("retrain"), NOW)
    database.close()


def _score_with_scikit_learn(records: int) -> tuple[float, float]:
    """Seconds and processor seconds of the forest alone, on an array in memory."""
    train, some = made_up_rows(0, _TRAINED)[:, _FITTED], made_up_rows(1, GROUP)[:, _FITTED]
    rows = np.tile(some.astype(np.float32), (-(-records // GROUP), 1))[:records]
    forest = IsolationForest(n_estimators=_TREES, random_state=0).fit(train)
    start, processor = perf_counter(), process_time()
    forest.score_samples(rows)
    return perf_counter() - start, process_time() - processor

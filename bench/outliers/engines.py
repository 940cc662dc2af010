"""The same scan by one process and by two of Ray's: seconds, processor time, memory and results."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter

from sqlalchemy import select

from bench.outliers.million import make_store
from bench.outliers.stock import NOW
from jobs.settings import JobSettings
from store.engine.database import Database
from store.tables.request_tables import ScoreRow

RECORDS = 100_000
_SAMPLED_SECONDS = 0.2
_ACTORS = 2

_SCAN = """
import sys
from datetime import datetime
from pathlib import Path
from jobs.context import JobContext
from jobs.outliers.scan import scan
from jobs.settings import JobSettings
from maskwatch.commands.engine_options import EngineName, open_engine
from store.engine.database import Database

name, folder = EngineName(sys.argv[1]), Path(sys.argv[2])
settings = JobSettings(var_dir=folder)
database = Database.open(settings, 3600)
actors = int(sys.argv[4]) if name is EngineName.RAY else None
with open_engine(name, None, actors, folder) as engine:
    scan(JobContext(database, settings, datetime.fromisoformat(sys.argv[3])), engine=engine)
database.close()
"""


class Usage:
    """Processor seconds and memory of a process and of all that it starts, sampled."""

    def __init__(self, mark: str) -> None:
        self._mark, self._end = mark, Event()
        self._seconds = dict[int, float]()
        self.peak_mb = 0.0
        self._thread = Thread(target=self._sample_often, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Processor seconds of all of them; what ended between two samples is cut short."""
        self._end.set()
        self._thread.join()
        return sum(self._seconds.values())

    def _sample_often(self) -> None:
        while not self._end.wait(_SAMPLED_SECONDS):
            shares = [self._sample(entry) for entry in Path("/proc").glob("[0-9]*")]
            self.peak_mb = max(self.peak_mb, sum(shares))

    def _sample(self, entry: Path) -> float:
        """Proportional memory of a process in MB; 0 for one that is none of ours."""
        try:
            if self._mark not in (entry / "environ").read_text(errors="replace"):
                return 0.0
            user, system = (entry / "stat").read_text().rpartition(")")[2].split()[11:13]
            lines = (entry / "smaps_rollup").read_text().splitlines()
        except OSError:
            return 0.0
        ticks = os.sysconf("SC_CLK_TCK")
        self._seconds[int(entry.name)] = (int(user) + int(system)) / ticks
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def measure_engines(records: int = RECORDS) -> dict[str, object]:
    """Both engines on equal databases, and whether they have written the same."""
    figures: dict[str, object] = {"records": records, "load": os.getloadavg()[0]}
    digests = set[str]()
    for name in ("local", "ray"):
        with TemporaryDirectory(prefix="mw-") as folder:
            make_store(Path(folder), records)
            figures |= _measure(name, folder)
            digests.add(_digest(Path(folder)))
    return figures | {"engines_same": len(digests) == 1}


def _measure(name: str, folder: str) -> dict[str, float]:
    time = (NOW + timedelta(days=1)).isoformat()
    variables = {"RAY_TMPDIR": folder, "OMP_NUM_THREADS": "1"}
    usage, start = Usage(f"RAY_TMPDIR={folder}\0"), perf_counter()
    command = [sys.executable, "-c", _SCAN, name, folder, time, str(_ACTORS)]
    subprocess.run(command, check=True, env=os.environ | variables)  # noqa: S603
    seconds = perf_counter() - start
    processor = usage.stop()
    return {
        f"{name}_seconds": seconds,
        f"{name}_processor_seconds": processor,
        f"{name}_peak_mb": usage.peak_mb,
    }


def _digest(folder: Path) -> str:
    """Hash of every score as it was written."""
    database, digest = Database.open(JobSettings(var_dir=folder)), sha256()
    columns = (
        *(ScoreRow.request_pk, ScoreRow.score, ScoreRow.p_value, ScoreRow.q_value),
        *(ScoreRow.outlier, ScoreRow.contributions),
    )
    with database.read() as session:
        for row in session.execute(select(*columns).order_by(ScoreRow.request_pk)):
            digest.update(json.dumps(list(row)).encode())
    database.close()
    return digest.hexdigest()

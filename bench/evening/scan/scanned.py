"""Trains on the earlier records and scans those of the evening, by the jobs themselves."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from sqlalchemy import Row, select

from bench.evening.scan.families import name_requests
from bench.evening.scan.figures import Flags
from bench.evening.scan.records import Recorded
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Matrix
from detectors.registry import FITTED_NAMES
from jobs.context import JobContext
from jobs.outliers.sampling import Sample, training_sample
from jobs.outliers.scan import ScanResult, scan
from jobs.settings import JobSettings
from store.audit.actors import job
from store.engine.database import Database
from store.models.outlier_models import OutlierModelStore, promote
from store.requests.unscored import unscored_requests
from store.tables.request_tables import RequestRow, ScoreRow

_TRAFFIC = "api"
Train = Callable[[Sample], OutlierModel]


@dataclass(frozen=True, eq=False)
class Scanned:
    """What a scan of the evening did.

    Attributes:
        p_values: of every request of the evening in its order; NaN of one that was not parsed.
        outliers: which of them the scan selected.
        named: which of them families with outliers name; see
            :func:`bench.evening.scan.families.name_requests`.
    """

    result: ScanResult
    p_values: npt.NDArray[np.float64]
    outliers: Flags
    named: Flags


@dataclass(frozen=True, eq=False)
class Requests:
    """All parsed requests of a recorded evening and of before.

    Attributes:
        rows: their features, ``(n, features)``.
        clients: a number for each, ``(n,)``.
        attacks: what they are; empty: honest.
    """

    rows: Matrix
    clients: npt.NDArray[np.int64]
    attacks: npt.NDArray[np.str_]


def read_requests(recorded: Recorded) -> Requests:
    """Everything that was sent and parsed."""
    sent = select(RequestRow.id).where(RequestRow.route == _TRAFFIC).order_by(RequestRow.id)
    with _context(recorded.after) as context, context.database.read() as session:
        parsed = unscored_requests(session, FITTED_NAMES, 0, len(recorded.messages))
        keys = session.scalars(sent).all()
    names = {
        key: message.attack or "" for key, message in zip(keys, recorded.messages, strict=True)
    }
    return Requests(parsed.rows, parsed.clients, np.array([names[key] for key in parsed.keys]))


def scan_evening(recorded: Recorded, train: Train) -> Scanned:
    """Train a model on the earlier records and scan those of the evening with it."""
    with _context(recorded.before) as context:
        sample = training_sample(context)
    model = train(sample)
    with _context(recorded.after) as context:
        _promote(context, model, len(sample.clean.rows))
        result = scan(context, _read_start(context, recorded.earlier))
        rows = _read_scores(context)[recorded.earlier :]
        named = name_requests(context)
    return Scanned(
        result,
        np.array([row.p_value for row in rows], dtype=np.float64),
        np.array([bool(row.outlier) for row in rows]),
        np.array([row.id in named for row in rows]),
    )


@contextmanager
def _context(snapshot: Path) -> Iterator[JobContext]:
    """The jobs on a copy of an installation, right after its last request."""
    with TemporaryDirectory(prefix="maskwatch-scan-") as name:
        folder = Path(name) / "var"
        shutil.copytree(snapshot, folder)
        settings = JobSettings(var_dir=folder)
        with closing(Database.open(settings)) as database:
            yield JobContext(database, settings, _read_times(database)[-1] + timedelta(seconds=1))


def _promote(context: JobContext, model: OutlierModel, rows: int) -> None:
    store = OutlierModelStore(context.settings.store.var_dir)
    with context.database.write() as session:
        row = store.add(
            session,
            archive=model.dumps(),
            kind=model.kind,
            rows=rows,
            metrics={},
            now=context.now,
        )
        promote(session, row.id, job("retrain"), context.now)


def _read_times(database: Database) -> list[datetime]:
    """When each request of the traffic came, in their order."""
    statement = select(RequestRow.received_at).where(RequestRow.route == _TRAFFIC)
    with database.read() as session:
        times = session.scalars(statement.order_by(RequestRow.id)).all()
    return [time.replace(tzinfo=UTC) for time in times]


def _read_start(context: JobContext, earlier: int) -> datetime:
    return _read_times(context.database)[earlier]


def _read_scores(context: JobContext) -> Sequence[Row[int, float, bool]]:
    """Key, p-value and whether an outlier, of every request of the traffic in their order."""
    statement = (
        select(RequestRow.id, ScoreRow.p_value, ScoreRow.outlier)
        .outerjoin(ScoreRow, ScoreRow.request_pk == RequestRow.id)
        .where(RequestRow.route == _TRAFFIC)
        .order_by(RequestRow.id)
    )
    with context.database.read() as session:
        return session.execute(statement).all()

"""``python -m bench evening``."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import cv2
import torch
from rich.console import Console

from bench.evening.attackers import attackers
from bench.evening.honest import honest_uploads
from bench.evening.outcome import figures
from bench.evening.play import Evening
from bench.gate.service import running_service
from bench.report import publish
from inference.machine.allocator import keep_pages
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.engine.database import Database
from store.settings import load_settings

_SEED = 7


def measure_evening(data: Path, cache: Path, out: Path) -> None:
    """Play the evening and publish its figures.

    Raises:
        PhotosMissing: a folder of photos is missing.
        ServiceFailed: the service does not start.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    keep_pages()
    honest = honest_uploads(data, Random(_SEED))  # noqa: S311
    hostile = attackers(data, cache)
    Console().print(f"{len(honest)} honest uploads, {len(hostile)} attackers.")
    with TemporaryDirectory(prefix="maskwatch-evening-") as name:
        folder = Path(name)
        # Its photos are of the kind that the shipped baseline knows, and too few to learn from.
        with running_service(VAR_DIR=name, LEARN_TRAFFIC="false") as service:
            settings = load_settings(JobSettings, var_dir=folder, simulate_blocks=False)
            with closing(Database.open(settings)) as database:
                now = _context_now(database, settings)
                tally = Evening(service.url, honest, hostile, now).play()
                found = figures(database, folder, hostile, tally)
    publish("The evening", found, out)


def _context_now(database: Database, settings: JobSettings) -> Callable[[], JobContext]:
    return lambda: JobContext(database, settings, datetime.now(UTC))

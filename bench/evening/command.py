"""``python -m bench evening``."""

from collections.abc import Callable, Collection
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
from bench.evening.scan.command import ScanOptions, measure_scan
from bench.gate.service import running_service
from bench.report import Figures, publish
from detectors.errors import MaskwatchError
from inference.machine.allocator import keep_pages
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.engine.database import Database
from store.settings import load_settings

_SEED = 7


class UnknownPart(MaskwatchError):
    """There is no part of that name."""


def measure_evening(
    data: Path, cache: Path, out: Path, scan: ScanOptions, only: Collection[str] = ()
) -> None:
    """Play the evening, scan the one with crafted pictures, and publish the figures of both.

    Args:
        only: ``play`` or ``scan``; both if it is empty.

    Raises:
        PhotosMissing: a folder of photos is missing.
        ServiceFailed: the service does not start.
        UnknownPart: ``only`` names something else than a part.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    keep_pages()
    parts: dict[str, Callable[[], Figures]] = {
        "play": lambda: play_evening(data, cache),
        "scan": lambda: measure_scan(data, cache, scan),
    }
    if unknown := sorted(set(only) - parts.keys()):
        raise UnknownPart(f"There is no part {unknown[0]!r}; the parts are {', '.join(parts)}.")
    found: Figures = {}
    for name, part in parts.items():
        if not only or name in only:
            found = {**found, **part()}
    publish("The evening", found, out)


def play_evening(data: Path, cache: Path) -> Figures:
    """Play it against a real service, and look at what it left."""
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
                return figures(database, folder, hostile, tally)


def _context_now(database: Database, settings: JobSettings) -> Callable[[], JobContext]:
    return lambda: JobContext(database, settings, datetime.now(UTC))

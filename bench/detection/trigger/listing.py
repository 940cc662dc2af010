"""Does a trigger get onto the blacklist, and is it found there again? Through the real job.

Half of the trigger pictures are sent first: what the tile search flags is kept as a service keeps
it, the job looks for a patch in it, and the other half is held against the list that comes out.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from uuid import uuid4

import numpy as np

from bench.detection.pictures.photos import Use, load, photos
from bench.detection.statistics import interval
from bench.detection.trigger.search import search_picture
from detectors.findings import Finding
from detectors.looks.triggers import trigger_finding
from detectors.parsing import Image
from detectors.patches.patch_match import PatchMatcher
from detectors.registry import FeatureVector
from detectors.verdict import Verdict
from inference.ensemble.tile_search import TileRecipe
from inference.gate.faces import FacePrior
from inference.recording.picture_keeper import MAX_SIDE, PictureKeeper, limit_size
from inference.segmenters.base import Segmenter
from jobs.blocking.find_patches import run
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.decisions.listed_patches import ListedPatch, listed_patches
from store.engine.database import Database
from store.engine.schema.versions import upgrade
from store.requests.picture_store import PictureStore
from store.requests.record_store import add_records
from store.requests.records import RequestRecord, Stage

_ALL = 1.0


def listing_figures(segmenter: Segmenter, attacks: Sequence[Image], data: Path) -> dict[str, Any]:
    """What became of the list; ``found`` and ``fpr`` are of pictures that the job never saw.

    Args:
        segmenter: with a backdoor.
        attacks: pictures on which its trigger works.
        data: folder that holds ``parsing/``; calibration photos are the ordinary requests.
    """
    first, later = attacks[::2], attacks[1::2]
    ordinary = [load(photo) for photo in photos(data, Use.CALIBRATE)]
    clean = [load(photo) for use in (Use.TEST, Use.TEST_CLEAN) for photo in photos(data, use)]
    with _service() as service:
        flags = service.send(segmenter, first)
        service.pass_on(segmenter, ordinary)
        patches = service.list_patches()
    matches, took_ms = _match_patches(patches, later)
    false_matches, _ = _match_patches(patches, clean)
    bounds = interval(np.array(matches, dtype=np.float64), 0.5)
    return {
        "sent": len(first),
        "flagged": flags,
        "listed": len(patches),
        "highest_limit": max((each.limit for each in patches), default=1.0),
        "n": len(later),
        "found": float(np.mean(matches)),
        "ci_low": bounds.low,
        "ci_high": bounds.high,
        "clean": len(clean),
        "fpr": float(np.mean(false_matches)),
        "ms": took_ms,
    }


class _Service:
    """A store with the pictures that a service would have kept, and the job that looks at them."""

    def __init__(self, database: Database, settings: JobSettings) -> None:
        self._context = JobContext(database, settings, datetime.now(UTC))
        self._keeper = PictureKeeper(PictureStore(settings.store.var_dir), _ALL, Random(0))  # noqa: S311

    def send(self, segmenter: Segmenter, images: Sequence[Image]) -> int:
        """Search each picture for a tile and keep those in which one is suspected; how many."""
        results = [(image, _search_picture(segmenter, image)) for image in images]
        suspects = [(image, finding) for image, finding in results if finding is not None]
        for image, finding in suspects:
            self._add(segmenter, image, Verdict.FLAG, finding)
        return len(suspects)

    def pass_on(self, segmenter: Segmenter, images: Sequence[Image]) -> None:
        """Keep pictures of requests that passed, each of a client of its own."""
        for image in images:
            self._add(segmenter, image, Verdict.PASS)

    def list_patches(self) -> tuple[ListedPatch, ...]:
        """Run the job and read the list."""
        run(self._context)
        with self._context.database.read() as session:
            return listed_patches(session, self._context.now)

    def _add(
        self, segmenter: Segmenter, image: Image, verdict: Verdict, *findings: Finding
    ) -> None:
        request_id, (height, width) = str(uuid4()), image.shape[:2]
        record = RequestRecord(
            request_id=request_id,
            received_at=self._context.now,
            client=f"key:{request_id[:8]}",
            route="api",
            stage=Stage.PARSED,
            verdict=verdict,
            status=200,
            reasons=tuple(finding.rule.code for finding in findings),
            features=FeatureVector.of({"height": float(height), "width": float(width)}),
            findings=findings,
            evidence=self._keeper.keep(verdict, image, segmenter.parse(image), FacePrior(tuple)),
        )
        with self._context.database.write() as session:
            add_records(session, [record])


@contextmanager
def _service() -> Iterator[_Service]:
    with TemporaryDirectory() as folder:
        settings = JobSettings(var_dir=Path(folder), database_url=None, simulate_blocks=False)
        database = Database.open(settings)
        try:
            upgrade(database)
            yield _Service(database, settings)
        finally:
            database.close()


def _search_picture(segmenter: Segmenter, image: Image) -> Finding | None:
    return trigger_finding(
        search_picture(segmenter, image), image.shape[:2], TileRecipe().max_score
    )


def _match_patches(
    patches: Sequence[ListedPatch], images: Sequence[Image]
) -> tuple[list[bool], float]:
    """Whether each picture shows a listed patch; median milliseconds a picture and patch."""
    matchers = [(PatchMatcher(each.patch), each.limit) for each in patches]
    matches, times = [], []
    for image in images:
        correlations, small = [], limit_size(image, MAX_SIDE)
        for matcher, _ in matchers:
            start = perf_counter()
            correlations.append(matcher.look(small).correlation)
            times.append((perf_counter() - start) * 1000)
        limits = [limit for _, limit in matchers]
        matches.append(any(c >= limit for c, limit in zip(correlations, limits, strict=True)))
    return matches, float(np.median(times)) if times else 0.0

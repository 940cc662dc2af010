"""Does a trigger get onto the blacklist, and is it found there again? Through the real job.

Half of the trigger pictures are sent first: what the tile search flags is kept as a service keeps
it, the job looks for a patch in it, and the other half is held against the list that comes out.
"""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from bench.detection.kept_records import KeptRecords, kept_records
from bench.detection.pictures.photos import Use, load, photos
from bench.detection.statistics import interval
from bench.detection.trigger.search import search_picture
from detectors.findings import Finding
from detectors.looks.triggers import trigger_finding
from detectors.parsing import Image
from detectors.patches.patch_match import PatchMatcher
from inference.ensemble.tile_search import TileRecipe
from inference.recording.picture_keeper import MAX_SIDE, limit_size
from inference.segmenters.base import Segmenter
from jobs.blocking.find_patches import run
from store.decisions.pictures.listed_patches import PATCHES, ListedPatch


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
    with kept_records() as records:
        flags = _send(records, segmenter, first)
        for image in ordinary:
            records.add(segmenter, image)
        patches = _list_patches(records)
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


def _send(records: KeptRecords, segmenter: Segmenter, images: Sequence[Image]) -> int:
    """Search each picture for a tile and keep those in which one is suspected; how many."""
    results = [(image, _search_picture(segmenter, image)) for image in images]
    suspects = [(image, finding) for image, finding in results if finding is not None]
    for image, finding in suspects:
        records.add(segmenter, image, finding)
    return len(suspects)


def _list_patches(records: KeptRecords) -> tuple[ListedPatch, ...]:
    """Run the job and read the list."""
    run(records.context)
    with records.context.database.read() as session:
        return PATCHES.read_blocked(session, records.context.now)


def _search_picture(segmenter: Segmenter, image: Image) -> Finding | None:
    return trigger_finding(
        search_picture(segmenter, image), image.shape[:2], TileRecipe().max_score
    )


def _match_patches(
    patches: Sequence[ListedPatch], images: Sequence[Image]
) -> tuple[list[bool], float]:
    """Whether each picture shows a listed patch; median milliseconds a picture and patch."""
    matchers = [(PatchMatcher(each.subject), each.limit) for each in patches]
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

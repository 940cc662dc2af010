"""Whether the rules treat people of every skin tone alike on a learnt deployment."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.deployment.installation import Installation
from bench.deployment.outcomes import Outcome, measure_files
from bench.detection.fairness import FLAGGED, Portrait, measure_angle, recall_rows, rule_figures
from bench.detection.pictures.photos import Photo
from bench.detection.pictures.uploads import RAW, File
from inference.gate.faces import FaceFinder


def tone_figures(
    installation: Installation, data: Path, people: Sequence[Photo], memory: Path
) -> dict[str, Any]:
    """The rates of all rules on photos of people, and the recall of the model on labelled ones.

    A rule counts where its finding is recorded, and `flagged` where the verdict is not `pass`: a
    rule that may not flag any more shows its gap all the same.
    """
    finder = FaceFinder()
    angles = {photo: measure_angle(photo, finder) for photo in people}
    seen = {photo: angle for photo, angle in angles.items() if angle is not None}
    files = [File(RAW, photo.name, photo.path.read_bytes()) for photo in seen]
    outcomes = measure_files(installation, files, memory)
    measured = [
        Portrait(angle, _codes(outcome))
        for angle, outcome in zip(seen.values(), outcomes, strict=True)
    ]
    parse = installation.service.pipeline.segmenter.parse
    return {**rule_figures(measured), "recall": recall_rows(data / "parsing", parse)}


def _codes(outcome: Outcome) -> frozenset[str]:
    return frozenset(outcome.recorded) | ({FLAGGED} if outcome.is_flagged else set())

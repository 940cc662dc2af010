"""What further looks take of an upstream: shares of its pictures and of its time."""

import re
from pathlib import Path
from time import monotonic, sleep

import httpx2

from detectors.baseline.attack_evidence import EVIDENCE
from detectors.baseline.baseline import Baseline, Expectation, Line
from detectors.baseline.baseline_text import to_json
from detectors.errors import MaskwatchError
from inference.upstream.answers.source_digest import digest_source
from inference.upstream.presets.preset_files import load_preset

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.1
_LINE = re.compile(r'^maskwatch_(\w+)_total\{\w+="(\w+)"\} (\S+)$', re.MULTILINE)


class NotCounted(MaskwatchError):
    """A proxy did not check all answers in time."""


def write_baseline(file: Path, preset: Path, upstream: str) -> None:
    """A baseline of an upstream by which nothing is odd: without one, nothing is looked at."""
    known = load_preset(str(preset))
    digest = digest_source(known.digest, known.labels, upstream)
    expectations = tuple(
        Expectation(
            evidence,
            tuple(Line(part, 0.0, (0.0,) * len(part.predictors), 1.0) for part in evidence.parts),
            1.0,
        )
        for evidence in EVIDENCE
    )
    file.write_text(to_json(Baseline(digest, expectations, 1e9, (0.0, 1.0))))


def count_looks(proxy: str, pictures: int) -> dict[str, float]:
    """The shares, once all pictures are checked.

    Raises:
        NotCounted: that takes too long.
    """
    give_up_at = monotonic() + _PATIENCE_SECONDS
    while monotonic() < give_up_at:
        counts = _read_counts(proxy)
        outcomes = {label: n for (name, label), n in counts.items() if name == "upstream_looks"}
        if sum(outcomes.values()) >= pictures:
            return _find_shares(counts, pictures)
        sleep(_PAUSE_SECONDS)
    raise NotCounted(f"Of {pictures} answers not all are checked after {_PATIENCE_SECONDS:g} s.")


def _find_shares(counts: dict[tuple[str, str], float], pictures: int) -> dict[str, float]:
    looks, clients = (
        counts.get(("upstream_seconds", whose), 0.0) for whose in ("looks", "clients")
    )
    return {
        "looks_share": counts.get(("upstream_looks", "taken"), 0.0) / pictures,
        "looks_upstream_ms_share": looks / (looks + clients),
        "looks_requests_per_picture": counts.get(("upstream_look_requests", "answered"), 0.0)
        / pictures,
    }


def _read_counts(proxy: str) -> dict[tuple[str, str], float]:
    text = httpx2.get(f"{proxy}/_maskwatch/metrics").text
    return {(name, label): float(value) for name, label, value in _LINE.findall(text)}

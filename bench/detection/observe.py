"""Sends files through the public entry point and keeps what was measured on each."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from pydantic import SecretStr

from bench.detection.pictures.cache import key_of, write
from detectors.topology.persons import Scene
from detectors.topology.topology_rules import topology_extremes
from detectors.verdict import Verdict
from inference.checks.catalogue import every_look
from inference.pipeline import Pipeline
from inference.refusals import Refusal
from inference.service import build_service
from inference.settings import ServiceSettings
from inference.upload import Arrival, Upload

# Raised when the code measures something else than before.
_VERSION = "5"
# So that a run can be repeated; a deployment has its own.
_SECRET = SecretStr("detection benchmark")


@dataclass(frozen=True)
class Observation:
    """What the service made of one file.

    Attributes:
        features: everything that was measured, with all looks taken.
        reasons: codes of rules or of the refusal; the detector's own finding is not among them.
    """

    features: Mapping[str, float]
    verdict: Verdict
    reasons: tuple[str, ...]


class Observer:
    """Takes every look at every file, so that each detector can be judged on the same numbers."""

    def __init__(self, pipeline: Pipeline, cache: Path) -> None:
        self._cache = cache
        self._pipeline = pipeline

    @property
    def segmenter(self) -> str:
        """Digest of the model that parses."""
        return self._pipeline.segmenter.digest

    def observe(self, upload: bytes) -> Observation:
        """What was observed on a file."""
        digest = sha256(upload).hexdigest()
        key = key_of(digest, self._pipeline.segmenter.digest, _VERSION)
        path = self._cache / "observed" / key[:2] / f"{key}.json"
        try:
            return _read(path.read_text())
        except (OSError, ValueError, TypeError, KeyError):
            observation = self._observe_upload(upload)
        write(path, json.dumps(_dump(observation)).encode())
        return observation

    def observe_anew(self, upload: bytes) -> Observation:
        """The same without looking whether it is remembered: for times."""
        return self._observe_upload(upload)

    def topology_extremes(self, upload: bytes) -> Mapping[str, float]:
        """How near a file comes to the limits of the topology rules; empty if it is refused."""
        screening = self._pipeline.gate.screen(upload)
        if isinstance(screening, Refusal):
            return {}
        return topology_extremes(Scene.of(self._pipeline.segmenter.parse(screening.image)))

    def _observe_upload(self, upload: bytes) -> Observation:
        checks = every_look(self._pipeline.checks)
        pipeline = replace(self._pipeline, checks=checks)
        arrival = Arrival(str(uuid4()), datetime.now(UTC), "bench:local", "bench")
        record = pipeline.handle(arrival, Upload(upload)).record
        features = record.features.collect_values() if record.features else {}
        return Observation(features, record.verdict, record.reasons)


@contextmanager
def observer(cache: Path) -> Iterator[Observer]:
    """An observer on a service with a database of its own, which is thrown away afterwards."""
    with TemporaryDirectory() as folder:
        settings = ServiceSettings(
            var_dir=Path(folder),
            database_url=None,
            max_concurrency=1,
            evidence_sample_share=0.0,
            learn_traffic=False,
            fingerprint_salt=_SECRET,
        )
        service = build_service(settings)
        try:
            yield Observer(service.pipeline, cache)
        finally:
            service.close()


def _dump(observation: Observation) -> dict[str, object]:
    return {
        "features": dict(observation.features),
        "verdict": observation.verdict,
        "reasons": observation.reasons,
    }


def _read(text: str) -> Observation:
    data = json.loads(text)
    return Observation(data["features"], Verdict(data["verdict"]), tuple(data["reasons"]))

"""The measuring of kept pictures as work of an engine: here, or packed for a process elsewhere."""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from detectors.findings import Finding, Severity
from detectors.rule_book import find_rule
from detectors.topology.topology_limits import TopologyLimits
from inference.rescoring import Remeasured, Rescorer, build_rescorer
from inference.settings import ServiceSettings
from jobs.engines.base import Engine, Recipe, Worker
from maskwatch.commands.explain.explain_request import read_state
from maskwatch.commands.rescore.comparison import Comparison, Judged, Tally, compare
from store.engine.database import Database
from store.requests.kept_requests import KeptRequest, kept_requests
from store.requests.picture_store import PictureChanged, PictureStore

# What measuring needs; none of it holds a secret.
_GROUPS = ("parsing", "gate", "looks")


@dataclass(frozen=True, eq=False)
class Rescoring:
    """What the model of the settings makes of kept pictures.

    Attributes:
        seed: what the looks are drawn with.
    """

    settings: ServiceSettings
    rescorer: Rescorer
    seed: int

    def do(self, picture: bytes) -> Remeasured:
        """Measure a picture."""
        return self.rescorer.measure(picture)

    def recipe(self) -> Recipe:
        """The settings of the model with the digest that it must have."""
        groups = {name: getattr(self.settings, name).model_dump(mode="json") for name in _GROUPS}
        document = {
            "groups": groups | {"store": {"var_dir": str(self.settings.store.var_dir)}},
            "limits": asdict(self.rescorer.limits),
            "seed": self.seed,
            "digest": self.rescorer.segmenter.digest,
        }
        return Recipe(make_rescorer, json.dumps(document).encode())

    def pack(self, picture: bytes) -> bytes:
        """A picture travels as the file that it is."""
        return picture

    def unpack(self, answer: bytes) -> Remeasured:
        """What was measured."""
        document = json.loads(answer)
        findings = tuple(map(_read_finding, document["findings"]))
        return Remeasured(document["features"], findings, document["refusal"])


def make_rescorer(material: bytes) -> Worker:
    """What measures pictures.

    Raises:
        ModelError: the model cannot be loaded here, or is another one.
        DecoderUnusable: the decode worker does not start.
    """
    document = json.loads(material)
    settings, limits = ServiceSettings(**document["groups"]), TopologyLimits(**document["limits"])
    rescorer = build_rescorer(settings, lambda _: limits, document["seed"], document["digest"])

    def rescore(picture: bytes) -> bytes:
        measures = rescorer.measure(picture)
        findings = [_describe(finding) for finding in measures.findings]
        answer = {"features": measures.features, "findings": findings, "refusal": measures.refusal}
        return json.dumps(answer).encode()

    return rescore


@contextmanager
def open_rescoring(settings: ServiceSettings, database: Database, seed: int) -> Iterator[Rescoring]:
    """The model of the settings, until the block ends.

    Raises:
        ModelError: the model cannot be loaded.
        DecoderUnusable: the decode worker does not start.
    """

    def find_limits(digest: str) -> TopologyLimits:
        return settings.topology.topology_limits(read_state(database, settings, digest).limits)

    rescorer = build_rescorer(settings, find_limits, seed)
    try:
        yield Rescoring(settings, rescorer, seed)
    finally:
        rescorer.close()


def rescore_pictures(
    work: Rescoring,
    database: Database,
    engine: Engine,
    window: tuple[datetime, datetime],
    tally: Tally,
) -> Iterator[Comparison]:
    """Measure the pictures that were kept in a time, the oldest first; nothing is written.

    Raises:
        EngineFailed: the engine ended before.
    """
    settings, requests = work.settings, deque[KeptRequest]()
    store, digest = PictureStore(settings.store.var_dir), work.rescorer.segmenter.digest
    state, rate = read_state(database, settings, digest), settings.looks.false_positive_rate
    judged = Judged(digest, state, rate, settings.service.mode)

    def read_pictures() -> Iterator[bytes]:
        for request in kept_requests(database, *window):
            picture = _read_picture(store, request.sha256)
            if picture is None:
                tally.missing += 1
            else:
                requests.append(request)
                yield picture

    for measures in engine.run(work, read_pictures()):
        comparison = compare(requests.popleft(), measures, judged)
        tally.add(comparison)
        yield comparison


def _read_picture(store: PictureStore, sha256: str) -> bytes | None:
    """A picture as it was kept; ``None`` if it is gone or not what was kept."""
    try:
        return store.read(sha256)
    except PictureChanged:
        return None


def _describe(finding: Finding) -> dict[str, object]:
    rule = finding.rule
    return {"code": rule.code, "severity": rule.severity, "evidence": dict(finding.evidence)}


def _read_finding(described: Mapping[str, Any]) -> Finding:
    rule = replace(find_rule(described["code"]), severity=Severity(described["severity"]))
    return Finding(rule, described["evidence"])

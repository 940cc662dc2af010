"""Explains a file: takes every look again that the service would take, and records nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import SystemRandom
from tempfile import TemporaryDirectory

from inference.checks.catalogue import every_look
from inference.pipeline import Pipeline
from inference.recording.picture_keeper import PictureKeeper
from inference.refusals import Refusal
from inference.results.outcomes import Outcome
from inference.service import Service
from inference.upload import Arrival, Upload
from maskwatch.commands.explain.explain_request import NotExplained
from maskwatch.commands.explain.explanation import (
    Explanation,
    Fired,
    describe_phase,
    score_looks,
)
from maskwatch.commands.pictures.parse_files import CLIENT
from maskwatch.commands.pictures.picture_files import File
from store.baselines.source_names import find_name
from store.pages.request_detail import RequestDetail
from store.requests.picture_store import PictureStore
from store.requests.request_ids import new_request_id


def explain_file(service: Service, path: Path, request: RequestDetail | None) -> Explanation:
    """Take every look at a file.

    Args:
        request: whose upload the file is said to be; ``None``: of none.

    Raises:
        FileProblem: the file cannot be read.
        NotExplained: it is another file than the request's.
    """
    content = File(path, Path(path.name)).read(service.settings.gate.max_upload_bytes)
    if isinstance(content, Refusal):
        return Explanation(str(path), "refuse", (content.code,), None, None, None, (), None)
    _compare(content, path, request)
    with TemporaryDirectory() as folder:
        # Pictures of what is flagged would be kept; these are thrown away.
        keeper = PictureKeeper(PictureStore(Path(folder)), 0.0, SystemRandom())
        pipeline = replace(service.pipeline, picture_keeper=keeper)
        upload = Upload(content, file_name=path.name)
        outcome = _examine(pipeline, upload)
        looks = _examine(replace(pipeline, checks=every_look(pipeline.checks)), upload)
    return _explain(service, path, outcome, _collect_features(looks))


def _compare(content: bytes, path: Path, request: RequestDetail | None) -> None:
    if request is None or request.content_sha256 is None:
        return
    if sha256(content).hexdigest() != request.content_sha256:
        raise NotExplained(
            f"The file {path} is not what the request {request.summary.request_id} sent: its "
            "SHA-256 is another one."
        )


def _examine(pipeline: Pipeline, upload: Upload) -> Outcome:
    now = datetime.now(UTC)
    return pipeline.examine(Arrival(new_request_id(now), now, CLIENT, "cli"), upload)


def _collect_features(outcome: Outcome) -> Mapping[str, float]:
    features = outcome.record.features
    return {} if features is None else features.collect_values()


def _explain(
    service: Service, path: Path, outcome: Outcome, features: Mapping[str, float]
) -> Explanation:
    record, digest = outcome.record, outcome.record.segmenter
    state = service.pipeline.knowledge.state_of(digest or "")
    rate = service.settings.looks.false_positive_rate
    return Explanation(
        str(path),
        record.verdict.value,
        record.reasons,
        digest,
        _find_name(service, digest),
        None if digest is None else describe_phase(state),
        tuple(
            Fired(each.rule.code, each.rule.severity.value, each.evidence)
            for each in record.findings
        ),
        None if digest is None else score_looks(state, features, rate),
    )


def _find_name(service: Service, digest: str | None) -> str | None:
    with service.database.read() as session:
        return find_name(session, digest)

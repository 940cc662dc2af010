"""``maskwatch parse``: the service's pipeline on files, recorded the same way."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from detectors.baseline.phases import Phase
from detectors.findings import Finding
from inference.answer.composite import colour_composite
from inference.answer.encode import label_png, png
from inference.refusals import Refusal
from inference.results.outcomes import Outcome
from inference.service import Service
from inference.upload import Arrival, Upload
from maskwatch.commands.pictures.picture_files import File, FileProblem
from store.engine.files.whole_files import write_whole
from store.requests.request_ids import new_request_id

CLIENT = "cli:local"


@dataclass(frozen=True)
class ParsedFile:
    """One line of output.

    Attributes:
        ms: milliseconds from the bytes to the durable record.
        findings: rules that fired, with their evidence and the boxes where they show.
        why: a sentence where the file was refused.
    """

    path: str
    verdict: str
    reasons: tuple[str, ...]
    labels: tuple[str, ...]
    ms: float
    findings: tuple[Finding, ...] = ()
    why: str | None = None

    def to_json(self) -> str:
        """One JSON object."""
        data = asdict(self) | {"findings": [_describe(finding) for finding in self.findings]}
        if self.why is None:
            del data["why"]
        return json.dumps(data, ensure_ascii=False)

    def to_text(self) -> str:
        """One line for people."""
        content = ", ".join(self.labels) or self.why or "nothing found"
        reasons = f" [{', '.join(self.reasons)}]" if self.reasons else ""
        return f"{self.verdict:<6} {self.ms:>7.1f} ms  {self.path}{reasons}: {content}"


def parse_file(service: Service, file: File, out: Path | None) -> ParsedFile:
    """Take one file through the pipeline; write composite and label PNG under ``out``.

    Raises:
        FileProblem: the file cannot be read, or the output cannot be written.
    """
    now = datetime.now(UTC)
    arrival = Arrival(new_request_id(now), now, CLIENT, "cli")
    content = file.read(service.settings.gate.max_upload_bytes)
    start = perf_counter()
    if isinstance(content, Refusal):
        outcome = service.pipeline.refuse(arrival, content)
    else:
        outcome = service.pipeline.handle(arrival, Upload(content, file_name=file.path.name))
    ms = round((perf_counter() - start) * 1000, 1)
    if out is not None:
        _write(outcome, out / file.name)
    record = outcome.record
    why = outcome.refusal.sentence if outcome.refusal else None
    return ParsedFile(
        str(file.path),
        record.verdict.value,
        record.reasons,
        record.labels,
        ms,
        record.findings,
        why,
    )


def describe_learning(service: Service) -> str | None:
    """Say that no picture is flagged by its looks yet; ``None`` where the source is in force."""
    digest = service.pipeline.segmenter.digest
    if service.sources.state_of(digest).phase is Phase.IN_FORCE:
        return None
    standing = service.describe_learning() or Phase.LEARNING.value
    return (
        f"what is normal for this model is not learnt yet ({standing}), so no picture is flagged "
        "by its looks. `maskwatch baselines list` says how far it is."
    )


def _describe(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule.code,
        "severity": finding.rule.severity,
        "sentence": finding.rule.sentence,
        "evidence": dict(finding.evidence),
        "places": [asdict(place) for place in finding.places],
    }


def _write(outcome: Outcome, target: Path) -> None:
    """Write ``NAME.composite.png`` and ``NAME.labels.png``, the whole file name before the dot.

    They show people as they are: only their owner may read them.
    """
    if outcome.image is None or outcome.parsing is None:
        return
    masks = {
        "composite": png(colour_composite(outcome.image, outcome.parsing)),
        "labels": label_png(outcome.parsing),
    }
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for kind, data in masks.items():
            write_whole(target.with_name(f"{target.name}.{kind}.png"), data)
    except OSError as error:
        raise FileProblem(
            f"The folder {target.parent} cannot be written: {error.strerror}."
        ) from None

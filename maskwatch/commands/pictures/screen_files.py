"""``maskwatch screen``: the gate alone, on files."""

import json
from dataclasses import asdict, dataclass, replace
from time import perf_counter

from detectors.findings import Severity
from inference.gate.screen import Gate, Screened
from inference.refusals import Refusal
from inference.upload import Upload
from maskwatch.commands.pictures.picture_files import File, FileProblem

ACCEPT, FLAG, REFUSE = "accept", "flag", "refuse"
_NOT_READ = "cannot_be_read"


@dataclass(frozen=True)
class ScreenedFile:
    """One line of output.

    Attributes:
        outcome: ``accept``, ``flag`` or ``refuse``.
        code: of the refusal or of the heaviest rule that fired; empty where nothing is to be said.
        width: pixels, upright; 0 where it was refused.
        height: likewise.
        ms: milliseconds in the gate.
        peak_mb: most memory of the decode worker meanwhile; 0 where nothing was decoded.
    """

    path: str
    outcome: str
    code: str
    width: int = 0
    height: int = 0
    ms: float = 0.0
    peak_mb: float = 0.0

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def to_text(self) -> str:
        """One line for people."""
        size = f"{self.width}×{self.height}" if self.width else ""
        return f"{self.outcome:<6} {self.ms:>7.1f} ms  {size:<11} {self.path} {self.code}".rstrip()


def screen_file(gate: Gate, file: File, max_bytes: int) -> ScreenedFile:
    """Take one file through the gate; a file that cannot be read is a refused one."""
    start = perf_counter()
    try:
        data = file.read(max_bytes)
    except FileProblem:
        return ScreenedFile(str(file.path), REFUSE, _NOT_READ)
    outcome = data if isinstance(data, Refusal) else _screen(gate, data, file.path.name)
    ms = round((perf_counter() - start) * 1000, 1)
    if isinstance(outcome, Refusal):
        return ScreenedFile(str(file.path), REFUSE, outcome.code, ms=ms)
    height, width = outcome.image.shape[:2]
    peak = round(outcome.decoded.peak_bytes / 1e6, 1)
    return ScreenedFile(str(file.path), *_summarise(outcome), width, height, ms, peak)


def _screen(gate: Gate, data: bytes, name: str) -> Screened | Refusal:
    """What the gate makes of a file; what its name says is one more finding."""
    claims = gate.compare(Upload(data, file_name=name))
    if isinstance(claims, Refusal):
        return claims
    screening = gate.screen(data)
    if isinstance(screening, Refusal):
        return screening
    return replace(screening, findings=(*claims, *screening.findings))


def _summarise(screening: Screened) -> tuple[str, str]:
    """Outcome and code; what flags the picture comes before what is merely odd."""
    findings = sorted(screening.findings, key=lambda each: each.rule.severity is Severity.ODD)
    if not findings:
        return ACCEPT, ""
    rule = findings[0].rule
    return (ACCEPT if rule.severity is Severity.ODD else FLAG), rule.code

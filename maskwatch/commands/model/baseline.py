"""``maskwatch model learn-baseline``: learns from clean pictures what is normal for the model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from detectors.baseline.baseline import Baseline
from detectors.baseline.baseline_fit import learn
from detectors.baseline.baseline_text import to_json
from detectors.topology.persons import Scene
from detectors.topology.topology_rules import topology_extremes
from inference.checks.catalogue import every_look
from inference.refusals import Refusal
from inference.service import Service
from inference.upload import Arrival, Upload
from maskwatch.commands.pictures.parse_files import CLIENT
from maskwatch.commands.pictures.picture_files import File, FileProblem, find_files
from store.engine.files.whole_files import write_result
from store.requests.request_ids import new_request_id

# Of every three pictures in name order: two fit the lines, one calibrates.
_CYCLE, _CALIBRATES = 3, 2
# Services of other accounts read it; the umask says which of them may.
_FOR_ALL = 0o666


def learn_baseline(service: Service, folders: Sequence[Path]) -> Baseline:
    """Take every look at every picture, and learn; each is recorded like a parsed file.

    Pictures that the gate refuses are left out.

    Raises:
        BaselineError: there are too few pictures.
        FileProblem: a picture cannot be read.
    """
    pictures = list(_take_looks(service, folders))
    features = [picture.features for picture in pictures]
    digest = service.pipeline.segmenter.digest
    fit = [vector for place, vector in enumerate(features) if place % _CYCLE != _CALIBRATES]
    calibrate = features[_CALIBRATES::_CYCLE]
    return learn(digest, fit, calibrate, [picture.extremes for picture in pictures])


def write_baseline(baseline: Baseline, file: Path) -> None:
    """Write the file that ``MASKWATCH_BASELINE`` names.

    Raises:
        FileProblem: it cannot be written.
    """
    try:
        write_result(file, to_json(baseline).encode(), _FOR_ALL)
    except OSError as error:
        raise FileProblem(f"The file {file} cannot be written: {error.strerror}.") from None


@dataclass(frozen=True)
class _Measurement:
    """A picture's features, and how near it comes to the limits of the topology rules."""

    features: Mapping[str, float]
    extremes: Mapping[str, float]


def _take_looks(service: Service, folders: Sequence[Path]) -> Iterator[_Measurement]:
    checks = every_look(service.pipeline.checks)
    pipeline = replace(service.pipeline, checks=checks)
    for file in find_files(folders):
        content = _read_content(file, service.settings.gate.max_upload_bytes)
        if content is None:
            continue
        now = datetime.now(UTC)
        arrival = Arrival(new_request_id(now), now, CLIENT, "cli")
        outcome = pipeline.handle(arrival, Upload(content, file_name=file.path.name))
        features, parsing = outcome.record.features, outcome.parsing
        if features is not None and parsing is not None:
            yield _Measurement(features.collect_values(), topology_extremes(Scene.of(parsing)))


def _read_content(file: File, max_bytes: int) -> bytes | None:
    content = file.read(max_bytes)
    return None if isinstance(content, Refusal) else content

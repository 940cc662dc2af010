"""Finds the baseline of the segmenter that serves."""

from dataclasses import dataclass, field
from pathlib import Path

from detectors.baseline.baseline import Baseline, BaselineError
from detectors.baseline.baseline_text import from_json
from detectors.topology.topology_limits import DEFAULTS, TopologyLimits

SHIPPED = Path(__file__).parent.parent / "segmenters" / "reference" / "baseline.json"


@dataclass(frozen=True)
class Baselines:
    """Baselines by the digest of their segmenter."""

    by_digest: dict[str, Baseline] = field(default_factory=dict)

    @classmethod
    def read(cls, *files: Path) -> "Baselines":
        """Read files; of two for one segmenter the later one counts.

        Raises:
            BaselineError: a file is missing or no baseline.
        """
        baselines = [read_baseline(file) for file in files]
        return cls({baseline.segmenter: baseline for baseline in baselines})

    def of(self, digest: str) -> Baseline | None:
        """The baseline that was learnt with this model."""
        return self.by_digest.get(digest)

    def limits_of(self, digest: str) -> TopologyLimits:
        """Where normal ends for the topology rules; the defaults without a baseline."""
        baseline = self.of(digest)
        return DEFAULTS if baseline is None else baseline.limits


def read_baseline(file: Path) -> Baseline:
    """Read one file.

    Raises:
        BaselineError: it is missing or no baseline.
    """
    try:
        return from_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise BaselineError(
            f"The baseline {file} cannot be read: check MASKWATCH_BASELINE."
        ) from None
    except BaselineError as error:
        raise BaselineError(f"The file {file} does not serve: {error}") from None

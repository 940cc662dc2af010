"""The part ``scan`` of ``python -m bench evening``."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from bench.deployment.traffic import Kind, read_deployment
from bench.evening.scan.figures import scan_figures
from bench.evening.scan.intruders import craft_intruders, open_victim
from bench.evening.scan.records import record_evening
from bench.evening.scan.scanned import Train, read_requests, scan_evening
from bench.evening.scan.vetted import scan_by_vetted
from bench.report import Figures
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from detectors.registry import FEATURES, FITTED_NAMES, Group
from jobs.outliers.sampling import Sample, train

# Of all requests of the evening one in twenty is an attack picture.
_SHARE = 0.05
# Requests of the mixed deployment; the order of the first ones does not depend on how many follow.
_WHOLE = 1_200
_SEED = 20_260_101
# What the forest saw before there were looks and traffic among the features.
_FORMER_GROUPS = (Group.INPUT, Group.MODEL, Group.TOPOLOGY)


@dataclass(frozen=True)
class ScanOptions:
    """How long it is.

    Attributes:
        requests: honest ones of the mixed deployment.
        earlier: so many of these come before the evening.
        draw: 0: with the first pictures of each attack; 1: with as many that come after these, and
            the search of another picture; and so on.
        has_backdoor: a copy of the model serves, on which a trigger works, and triggers are sent.
    """

    requests: int = 1_200
    earlier: int = 600
    draw: int = 0
    has_backdoor: bool = False


def measure_scan(data: Path, cache: Path, options: ScanOptions) -> Figures:
    """Record the evening, in as many runs as it takes, and scan it with every model.

    Raises:
        PhotosMissing: a folder of photos is missing.
        DatasetError: there are no labelled photos to fine-tune a copy of the model on.
    """
    victim = open_victim(data, cache, has_backdoor=options.has_backdoor)
    deployment = read_deployment(data, Kind.MIXED, _WHOLE)
    traffic = deployment.messages[: options.requests]
    honest = options.requests - options.earlier
    each = round(honest * _SHARE / (1 - _SHARE) / len(victim.kinds))
    pictures = craft_intruders(data, cache, deployment.people, each, victim, options.draw)
    recorded = record_evening(cache, data, traffic, options.earlier, pictures, victim, options.draw)
    attacks = [message.attack for message in recorded.messages[recorded.earlier :]]
    figures: Figures = {}
    for prefix, fit in _contenders().items():
        scanned = scan_evening(recorded, fit)
        Console().print(f"{prefix}: {scanned.result.sentence}")
        figures = {
            **figures,
            **scan_figures(prefix, attacks, scanned.outliers),
            **scan_figures(f"{prefix}_family", attacks, scanned.outliers | scanned.named),
        }
    return {**figures, **scan_by_vetted(read_requests(recorded))}


def _contenders() -> Mapping[str, Train]:
    """By the prefix of their figures: the kind that knows signs, and what it is held against."""
    return {"scan": partial(train, kind=OutlierKind.EXCESS), "forest_scan": _fit_former_forest}


def _fit_former_forest(sample: Sample) -> OutlierModel:
    """An isolation forest on the features of picture and parse alone."""
    groups = {feature.name: feature.group for feature in FEATURES}
    columns = [place for place, name in enumerate(FITTED_NAMES) if groups[name] in _FORMER_GROUPS]
    names = [FITTED_NAMES[place] for place in columns]
    rows, sources = sample.clean.rows[:, columns], sample.clean.sources
    return OutlierModel.fit(OutlierKind.ISOLATION_FOREST, rows, names, _SEED, sources)

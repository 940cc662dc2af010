"""``maskwatch model check``: loads a model as a start would, and lets it parse drawn people."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

from detectors.parsing import Parsing
from detectors.parts import PartGroup, group_indices, group_of, unknown_labels
from inference.figures import draw_figure
from inference.hosting import HOSTINGS, LoadedModel, load_model
from inference.segmenters.base import Segmenter
from inference.segmenters.choice import SegmenterName
from inference.segmenters.described.trial import Trial, sees_nobody, try_model
from inference.settings import ServiceSettings
from inference.supply.errors import ModelError
from inference.supply.verified import find_fault
from store.settings import load_settings

_MAX_SHARES = 6
_ROUNDS = 3


def check_model(path: Path) -> Iterator[str]:
    """Lines for people; a model that cannot be used ends them with its fault.

    Raises:
        ModelError: it is none, or not what it has to be.
        ExtraMissing: packages are missing that it needs.
    """
    settings = load_settings(ServiceSettings, segmenter=find_kind(path), model=str(path))
    # Whoever is to sign a model looks at it first.
    model = load_model(settings.model_copy(update={"require_signed_model": False}))
    yield from _describe_model(path, model)
    fault = find_fault(model.files, settings.parsing.trust())
    if fault is not None:
        yield f"start      A service does not load it yet. {fault}"
    yield from _describe_labels(model.segmenter.parse(draw_figure(0).image))
    trials = tuple(try_model(model.segmenter))
    for number, trial in enumerate(trials, start=1):
        yield f"figure {number}   {_describe_trial(trial)}"
    if sees_nobody(trials):
        yield (
            "warning    Everything is background on drawn people. If it is on photos too, check "
            "colours, white, mean, deviation, layout and outputs of the description."
        )
    yield f"time       {_measure_milliseconds(model.segmenter):.0f} ms for a parse here"


def find_kind(path: Path) -> SegmenterName:
    """Which segmenter takes a model.

    Raises:
        ModelError: none does.
    """
    if path.is_file():
        return SegmenterName.REFERENCE
    kinds = {hosting.mark: kind for kind, hosting in HOSTINGS.items() if hosting.mark}
    for mark, kind in kinds.items():
        if (path / mark).is_file():
            return kind
    raise ModelError(
        f"The model {path} is none that Maskwatch hosts: a folder has one of {', '.join(kinds)}."
    )


def _describe_model(path: Path, model: LoadedModel) -> Iterator[str]:
    yield f"model      {path}"
    yield f"segmenter  {model.segmenter.name}"
    yield f"digest     {model.files.digest}"
    yield f"signature  {model.files.standing}: {model.files.standing.sentence}"


def _describe_labels(parsing: Parsing) -> Iterator[str]:
    yield f"labels     {len(parsing.labels)} with the background"
    for group in PartGroup:
        names = [parsing.labels[index] for index in group_indices(parsing.parts, [group])]
        if names:
            yield f"group      {group}: {', '.join(names)}"
    missing = set(PartGroup) - {PartGroup.OTHER} - {group_of(part) for part in parsing.parts}
    if missing:
        groups = ", ".join(group for group in PartGroup if group in missing)
        yield f"lacking    {groups}: rules that need them judge nobody"
    strangers = unknown_labels(parsing.parts)
    if strangers:
        pairs = zip(parsing.labels, parsing.parts, strict=True)
        names = [label for label, part in pairs if part in strangers]
        yield f"no group   {', '.join(names)}: give them one in segmenter.toml"


def _describe_trial(trial: Trial) -> str:
    shares = [f"{label} {share:.1%}" for label, share in trial.shares[:_MAX_SHARES]]
    more = len(trial.shares) - len(shares)
    tail = f" and {more} more" if more > 0 else ""
    return (
        f"of the person {trial.person_share:.0%} is not background, of the place "
        f"{trial.place_share:.0%}: {', '.join(shares)}{tail}"
    )


def _measure_milliseconds(segmenter: Segmenter) -> float:
    """Median wall time of a parse."""
    figure, times = draw_figure(0).image, []
    for _ in range(_ROUNDS):
        start = perf_counter()
        segmenter.parse(figure)
        times.append(perf_counter() - start)
    return 1000 * median(times)

"""From samples to a preset, with sentences on what could not be told."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inference.labels.label_table import LabelTable
from inference.upstream.answers.formats import AnnotatedImage
from inference.upstream.learning.answers.label_names import LearnedLabels, learn_labels
from inference.upstream.learning.door import LearnedDoor, PictureSample, find_top, learn_door
from inference.upstream.learning.requests.picture_sizes import PictureSize
from inference.upstream.learning.requests.places import find_places
from inference.upstream.learning.sample import Sample
from inference.upstream.presets.paths import check_path
from inference.upstream.presets.preset import Door, Preset
from inference.upstream.requests.sent_request import RequestLimits

_NAME = "learned"
_MAX_DOORS = 16
_MAX_NAME = 30
_MAX_PATH = 500
_FIRST_FAILED_STATUS = 400
_EXIF_UNKNOWN = (
    "Whether the service turns pictures by EXIF could not be told: send one that lies on its side "
    "(orientation 5 to 8), or set `applies_exif` yourself."
)
_EXIF_BOTH = "The service turned some pictures by EXIF and others not: set `applies_exif` yourself."
_NO_NAMES = "No answer named labels: write `names` into `labels`, or answers cannot be read."
_GRADIO = (
    "This is a Gradio app: the preset `gradio` knows all its doors, so take that, and correct its "
    "labels."
)


@dataclass(frozen=True)
class Lesson:
    """What was learned.

    Attributes:
        preset: ``None`` if no picture was found.
        sentences: what was found, and what could not be told.
    """

    preset: Preset | None
    sentences: tuple[str, ...]


def find_pictures(sample: Sample, limits: RequestLimits) -> PictureSample | None:
    """A sample with its pictures; ``None`` if nothing in its body looks like one."""
    request = find_places(sample, limits)
    if request is None:
        return None
    sizes = [PictureSize.read(upload.data) for upload in request.uploads]
    return PictureSample(sample, request, sizes[0] if len(sizes) == 1 else None)


def learn_preset(samples: Sequence[PictureSample]) -> Lesson:
    """The preset that fits all samples. It takes seconds where answers are large."""
    routes: dict[str, list[PictureSample]] = {}
    sentences: list[str] = []
    for each in samples:
        if each.request.problem is not None:
            sentences.append(
                f"A picture at {each.sample.route} could not be read: {each.request.problem}"
            )
        elif (why := _explain_path(each.sample)) is not None:
            sentences.append(why)
        else:
            routes.setdefault(each.sample.route, []).append(each)
    if len(routes) > _MAX_DOORS:
        sentences.append(f"Of {len(routes)} routes the first {_MAX_DOORS} are in the preset.")
    doors = [learn_door(group) for group in list(routes.values())[:_MAX_DOORS]]
    if not doors:
        sentences.append("No picture was found, so there is no preset.")
        return Lesson(None, tuple(dict.fromkeys(sentences)))
    applies_exif, more = _learn_exif(doors)
    labels = _learn_labels(doors)
    sentences += [s for door in doors for s in _describe(door)]
    sentences += [*more, *labels.sentences]
    preset = Preset(
        name=_NAME, applies_exif=applies_exif, labels=labels.table, doors=_write_doors(doors)
    )
    return Lesson(preset, tuple(dict.fromkeys(sentences)))


def _explain_path(sample: Sample) -> str | None:
    """Why a request cannot be at a door."""
    path = sample.path.decode("latin-1")
    if not re.fullmatch(r"[A-Z]{1,20}", sample.method) or len(path) > _MAX_PATH:
        return "A request with a picture has a method or a path that no preset can say."
    try:
        check_path(path)
    except ValueError:
        return f"The path {path!r} cannot be a door's: it is written in an unclear way."
    return f"The path {path!r} cannot be a door's: it has a star." if "*" in path else None


def _learn_exif(doors: Iterable[LearnedDoor]) -> tuple[bool, list[str]]:
    turns = {turn for door in doors for turn in door.turns}
    if len(turns) == 1:
        return turns.pop(), []
    return False, [_EXIF_BOTH if turns else _EXIF_UNKNOWN]


def _learn_labels(doors: Iterable[LearnedDoor]) -> LearnedLabels:
    proposals = [(door.proposal, door.palette) for door in doors if door.proposal is not None]
    if not proposals:
        return LearnedLabels(LabelTable(), (_NO_NAMES,))
    names = tuple(dict.fromkeys(name for proposal, _ in proposals for name in proposal.names))
    return learn_labels(names, max(find_top(*pair) for pair in proposals))


def _write_doors(doors: Iterable[LearnedDoor]) -> tuple[Door, ...]:
    written: dict[str, Door] = {}
    for door in doors:
        sample = door.samples[0].sample
        path = sample.path.decode("ascii")
        name = _name_door(path, set(written))
        written[name] = Door(
            name=name,
            kind="picture",
            paths=(path,),
            methods=(sample.method,),
            places=door.places,
            answer=door.form,
        )
    return tuple(written.values())


def _name_door(path: str, taken: set[str]) -> str:
    """A name by the last word of a path."""
    words = re.findall(r"[a-z0-9]+", path.lower())
    stem = words[-1][:_MAX_NAME] if words else "root"
    numbered = (f"{stem}-{number}" for number in range(2, _MAX_DOORS + 2))
    return stem if stem not in taken else next(name for name in numbered if name not in taken)


def _describe(door: LearnedDoor) -> list[str]:
    route, count = door.samples[0].sample.route, len(door.samples)
    failed = [e.sample.status for e in door.samples if e.sample.status >= _FIRST_FAILED_STATUS]
    sentences = [f"{route}: {count} request(s) with pictures in {_name_places(door)}."]
    if failed:
        statuses = ", ".join(map(str, sorted(set(failed))))
        sentences.append(f"{route}: {len(failed)} answer(s) had the status {statuses}.")
    if any(place.coding == "gradio_file" for place in door.places):
        sentences.append(_GRADIO)
    if door.palette is not None and door.palette.sentence is not None:
        sentences.append(door.palette.sentence)
    return sentences + _describe_answer(door, route, count - len(failed))


def _describe_answer(door: LearnedDoor, route: str, count: int) -> list[str]:
    if door.proposal is None:
        return [f"{route}: no parse was found in the answers, so they will not be read."]
    kind = door.proposal.form.kind
    if isinstance(door.proposal.form, AnnotatedImage):
        return [f"{route}: answers are {kind}; the files they point at were not looked at."]
    return [f"{route}: answers are {kind}; {door.readable} of {count} can be read."]


def _name_places(door: LearnedDoor) -> str:
    return ", ".join(
        f"{place.body} {' '.join(place.names)} ({place.coding})" if place.names else "the raw body"
        for place in door.places
    )

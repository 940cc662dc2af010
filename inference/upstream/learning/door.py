"""What the samples of one route show together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import AnnotatedImage, AnswerFormat, JsonPictures
from inference.upstream.answers.read_answer import read_answer
from inference.upstream.learning.answers.label_names import learn_labels
from inference.upstream.learning.answers.palettes import LearnedPalette, order_colours
from inference.upstream.learning.answers.proposal import Proposal, join_proposals
from inference.upstream.learning.answers.propose import propose_formats
from inference.upstream.learning.requests.merge import merge_places
from inference.upstream.learning.requests.picture_sizes import PictureSize
from inference.upstream.learning.requests.places import PictureRequest
from inference.upstream.learning.sample import Sample
from inference.upstream.presets.preset import PicturePlace

_FIRST_FAILED_STATUS = 400


@dataclass(frozen=True)
class PictureSample:
    """An exchange with pictures that were found.

    Attributes:
        size: of the only picture; ``None`` if there are several, or none can be measured.
    """

    sample: Sample
    request: PictureRequest
    size: PictureSize | None

    @property
    def answer(self) -> bytes | None:
        """The body of an answer that may be read."""
        is_good = self.sample.status < _FIRST_FAILED_STATUS and self.size is not None
        return self.sample.answer if is_good else None


@dataclass(frozen=True)
class LearnedDoor:
    """One route.

    Attributes:
        proposal: how its answers are read; ``None`` if they are not.
        turns: whether the upstream turned pictures that lie on their side, one for each such
            picture of which it could be told.
        readable: how many answers the proposal reads.
    """

    samples: tuple[PictureSample, ...]
    places: tuple[PicturePlace, ...]
    proposal: Proposal | None
    palette: LearnedPalette | None
    turns: tuple[bool, ...]
    readable: int

    @property
    def form(self) -> AnswerFormat | None:
        """The format with its palette."""
        if self.proposal is None:
            return None
        return _with_palette(self.proposal.form, self.palette)


def learn_door(samples: Sequence[PictureSample]) -> LearnedDoor:
    """Merge places, and choose the format that reads the most answers."""
    merged: dict[str, Proposal] = {}
    counts: dict[str, int] = {}
    turns = []
    for each in samples:
        proposals, is_turned = _propose(each)
        turns += [] if is_turned is None else [is_turned]
        for proposal in proposals:
            key = proposal.key
            merged[key] = join_proposals(merged[key], proposal) if key in merged else proposal
        for key in {proposal.key for proposal in proposals}:
            counts[key] = counts.get(key, 0) + 1
    # Of formats that read as many the first one, which tells the most.
    best = max(merged, key=lambda key: counts[key], default=None)
    chosen = None if best is None else merged[best]
    return LearnedDoor(
        samples=tuple(samples),
        places=merge_places(place for each in samples for place in each.request.places),
        proposal=chosen,
        palette=_order(chosen),
        turns=tuple(turns),
        readable=0 if best is None else counts[best],
    )


def find_top(proposal: Proposal, palette: LearnedPalette | None) -> int:
    """The largest index of a label."""
    return proposal.top if palette is None else len(palette.colours) - 1


def _propose(each: PictureSample) -> tuple[list[Proposal], bool | None]:
    """What reads an answer, and whether the picture was turned, if that can be told."""
    if each.answer is None or each.size is None:
        return [], None
    stored = list(_try(each, each.size.stored))
    if each.size.turned is None:
        return stored, None
    turned = list(_try(each, each.size.turned))
    is_stored, is_turned = (any(p.fits_one_size for p in group) for group in (stored, turned))
    if is_stored is is_turned:
        return stored, None
    return (turned, True) if is_turned else (stored, False)


def _try(each: PictureSample, size: tuple[int, int]) -> Iterable[Proposal]:
    sample, body = each.sample, each.answer or b""
    for proposal in propose_formats(sample.content_type, body, size):
        if isinstance(proposal.form, AnnotatedImage):
            yield proposal  # its masks are files that are fetched later
            continue
        palette = _order(proposal)
        form, top = _with_palette(proposal.form, palette), find_top(proposal, palette)
        labels = learn_labels(proposal.names, top).table
        try:
            read_answer(form, labels, sample.content_type, body, size)
        except AnswerUnreadable:
            continue
        yield proposal


def _order(proposal: Proposal | None) -> LearnedPalette | None:
    if proposal is None or not proposal.has_palette:
        return None
    return order_colours(proposal.colours)


def _with_palette(form: AnswerFormat, palette: LearnedPalette | None) -> AnswerFormat:
    if palette is None:
        return form
    update = {"palette": palette.colours, "order": palette.order}
    if isinstance(form, JsonPictures):
        return form.model_copy(update={"picture": form.picture.model_copy(update=update)})
    return form.model_copy(update=update)

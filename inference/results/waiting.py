"""Pictures that wait for the answer of an upstream."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inference.results.outcomes import Accepted
from inference.upstream.answers.answer import ALONE, Part
from inference.upstream.answers.formats import AnswerFormat
from inference.upstream.frames import Frame
from inference.upstream.looks.repeatable import Repeatable


@dataclass(frozen=True)
class Waiting:
    """An accepted picture whose answer is to be read.

    Attributes:
        frame: how the upstream saw the picture.
        form: how its answer is read; ``None`` if it holds no parse.
        part: of which picture of its request the parse is.
        files: pictures that the answer only points at, by their paths.
        repeatable: the request, if it may be sent again for further looks.
    """

    accepted: Accepted
    frame: Frame
    form: AnswerFormat | None
    files: Mapping[str, bytes] = field(default_factory=dict)
    part: Part = ALONE
    repeatable: Repeatable | None = None

    @property
    def size_bytes(self) -> int:
        """Memory that it takes."""
        picture = self.accepted.screening.image.nbytes + len(self.accepted.upload.data)
        request = 0 if self.repeatable is None else self.repeatable.size_bytes
        return picture + request + sum(map(len, self.files.values()))


@dataclass(frozen=True)
class Call:
    """A call whose result comes later.

    Attributes:
        waiting: its pictures.
        has_session: whether its client chose the session that its events come in: that may be one
            of several calls.
        began_at: on the clock ``perf_counter``.
    """

    waiting: tuple[Waiting, ...]
    has_session: bool
    began_at: float

    @property
    def size_bytes(self) -> int:
        """Memory that it takes."""
        return sum(each.size_bytes for each in self.waiting)

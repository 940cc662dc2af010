"""An upstream where checks expect a segmenter: looks at a picture are requests to it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from typing import Any, NoReturn

from detectors.errors import MaskwatchError
from detectors.parsing import Image
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.pictures.one_hot import fit_probabilities
from inference.upstream.frames import Frame, turn_parsing
from inference.upstream.looks.look_gate import Visit
from inference.upstream.looks.repeatable import Repeatable
from inference.upstream.looks.upstream_asker import UpstreamAsker
from inference.upstream.relay.faults import UpstreamFault
from inference.upstream.relay.sinks import HeldAnswer
from inference.upstream.reply_reader import ReplyReader
from inference.upstream.source import GivenSource

_DENIALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_FIRST_FAILED_STATUS = 400


class LookFailed(MaskwatchError):
    """The upstream gave no further look."""


@dataclass(frozen=True)
class AskedSource:
    """The upstream of one exchange; see :class:`inference.segmenters.base.Segmenter`.

    Attributes:
        given: what the parse of the exchange came from.
        request: what is sent again.
        size: height and width of the probabilities of the parse; those of looks have it too.
        visit: its place among the exchanges that are looked at.
        wait_aside: entered while the upstream works, so that others get this thread's turn.
    """

    given: GivenSource
    request: Repeatable
    size: tuple[int, int]
    asker: UpstreamAsker
    reader: ReplyReader
    visit: Visit
    wait_aside: Callable[[], AbstractContextManager[None]]

    @property
    def name(self) -> str:
        """That of the source."""
        return self.given.name

    @property
    def digest(self) -> str:
        """That of the source: looks are answered by what has answered the client."""
        return self.given.digest

    @property
    def labels(self) -> tuple[str, ...]:
        """Those of the source."""
        return self.given.labels

    def parse(self, image: Image) -> NoReturn:
        """The parse is that of the client's answer; no other one is asked for."""
        self.given.parse(image)

    def probabilities(
        self,
        pictures: Sequence[Image],
        scale: float = 1.0,  # noqa: ARG002 - pictures come as small as looks can use
    ) -> Sequence[Any]:
        """Ask about one picture after the other.

        Raises:
            LookFailed: the upstream does not answer, or not as the preset says.
        """
        return [self._look(picture) for picture in pictures]

    def _look(self, picture: Image) -> Any:
        body, frame = self.request.write(picture)
        begin = perf_counter()
        try:
            with self.wait_aside():
                held = self.asker.ask(self.request.scope, body)
        except UpstreamFault as fault:
            raise self._fail(perf_counter() - begin, fault.kind.value, str(fault)) from None
        return self._read(held, frame)

    def _read(self, held: HeldAnswer, frame: Frame) -> Any:
        seconds = held.exchange.seconds
        if held.status >= _FIRST_FAILED_STATUS:
            outcome = "denied" if held.status in _DENIALS else "error"
            raise self._fail(seconds, outcome, f"The upstream answered {held.status} to a look.")
        try:
            parsing = self.reader.read_lying(self.request.form, held.exchange, held.kept, frame, {})
        except AnswerUnreadable as error:
            raise self._fail(seconds, "unreadable", str(error)) from None
        self.visit.note(seconds, "answered", is_failure=False)
        return fit_probabilities(turn_parsing(parsing, frame.orientation), self.size)

    def _fail(self, seconds: float, outcome: str, sentence: str) -> LookFailed:
        self.visit.note(seconds, outcome, is_failure=True)
        return LookFailed(sentence)

"""Reads what an upstream answered to a picture, as far as a preset says how."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import structlog

from detectors.parsing import Parsing
from inference.gate.screen import Decoded
from inference.labels.label_table import LabelTable
from inference.upstream.answers.answer import ALONE, Part
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import AnswerFormat
from inference.upstream.answers.read_answer import read_answer
from inference.upstream.answers.tap import AnswerTap
from inference.upstream.answers.unpack import unpack_chunks
from inference.upstream.courtesy import Courtesy
from inference.upstream.frames import Frame, bring_upright
from inference.upstream.relay.exchange import Ending, Exchange

_log = structlog.get_logger(__name__)

_FIRST_FAILED_STATUS = 400


@dataclass(frozen=True)
class ReplyReader:
    """Reads the answers of one upstream.

    Attributes:
        max_bytes: of an answer, after it is unpacked.
        courtesy: towards answers that pass meanwhile.
    """

    labels: LabelTable
    max_bytes: int
    courtesy: Courtesy

    def read(
        self,
        form: AnswerFormat,
        exchange: Exchange,
        tap: AnswerTap,
        frame: Frame,
        decoded: Decoded,
        files: Mapping[str, bytes],
        part: Part,
    ) -> Parsing:
        """The parse of the upright picture. It takes a thread's time.

        Args:
            files: pictures that the answer only points at, by their paths.
            part: of which picture, if the answer is to several.

        Raises:
            AnswerUnreadable: why there is none.
        """
        return bring_upright(
            self.read_lying(form, exchange, tap, frame, files, part), frame, decoded
        )

    def read_lying(
        self,
        form: AnswerFormat,
        exchange: Exchange,
        tap: AnswerTap,
        frame: Frame,
        files: Mapping[str, bytes],
        part: Part = ALONE,
    ) -> Parsing:
        """The parse of the picture as it lies for the upstream.

        Raises:
            AnswerUnreadable: why there is none.
        """
        if exchange.status >= _FIRST_FAILED_STATUS:
            raise AnswerUnreadable(f"The upstream answered {exchange.status}.")
        if exchange.ended is not Ending.WHOLE or not tap.is_whole:
            raise AnswerUnreadable("The answer is not whole, or larger than is read.")
        kept = self.courtesy.slow_down(tap.drain())
        chunks = self._unpack(kept, exchange.content_encoding)
        kind, size = exchange.content_type, frame.size
        return read_answer(form, self.labels, kind, chunks, size, files, part)

    def _unpack(self, chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
        return unpack_chunks(chunks, encoding, self.max_bytes)

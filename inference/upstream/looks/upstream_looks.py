"""Looks at the pictures of one upstream: asks it again, within its limits."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from detectors.parsing import Parsing
from inference.upstream.looks.asked_source import AskedSource
from inference.upstream.looks.look_gate import LookGate
from inference.upstream.looks.repeatable import Repeatable
from inference.upstream.looks.upstream_asker import UpstreamAsker
from inference.upstream.relay.exchange import Ending, Exchange
from inference.upstream.reply_reader import ReplyReader
from inference.upstream.source import GivenSource

_FIRST_FAILED_STATUS = 500


@dataclass(frozen=True)
class UpstreamLooks:
    """Everything that looks at an upstream need.

    Attributes:
        source: what parses of the upstream come from.
    """

    source: GivenSource
    reader: ReplyReader
    gate: LookGate
    asker: UpstreamAsker

    def note_exchange(self, exchange: Exchange) -> None:
        """Count what a client got: looks depend on how the upstream does."""
        if exchange.ended is Ending.UPSTREAM_BROKE or exchange.status >= _FIRST_FAILED_STATUS:
            self.gate.note_failure()
        elif exchange.ended is Ending.WHOLE:
            # Without the time in which the client took the answer.
            self.gate.note_answer(exchange.answer_seconds)

    def note_failure(self) -> None:
        """Count a client that got nothing."""
        self.gate.note_failure()

    def is_look(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a request is a look of this process, which came back to it."""
        return self.asker.mark.is_on(headers)

    @contextmanager
    def visit(
        self,
        request: Repeatable,
        parsing: Parsing,
        wait_aside: Callable[[], AbstractContextManager[None]],
    ) -> Iterator[AskedSource]:
        """The upstream as a segmenter, for one exchange.

        Args:
            parsing: what the upstream answered to the client.
            wait_aside: entered while the upstream works on looks.
        """
        height, width = parsing.probabilities.shape[-2:]
        with self.gate.visit() as visit:
            yield AskedSource(
                self.source,
                request,
                (height, width),
                self.asker,
                self.reader,
                visit,
                wait_aside,
            )

    def close(self) -> None:
        """Break off what is under way; no exchange is looked at any more."""
        self.gate.close()
        self.asker.close()

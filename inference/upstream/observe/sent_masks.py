"""Masks as another service answered them."""

from dataclasses import dataclass

import structlog

from detectors.parsing import Image, Parsing
from inference.labels.label_table import LabelTable
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import AnswerFormat
from inference.upstream.answers.read_answer import read_answer
from inference.upstream.answers.source_digest import digest_source
from inference.upstream.observe.origin import Origin
from inference.upstream.source import GivenSource

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SentMasks:
    """An answer with masks, and how to read it.

    Attributes:
        origin: who tells of it; part of the source.
    """

    form: AnswerFormat
    labels: LabelTable
    media_type: str
    body: bytes
    origin: Origin

    def read(self, image: Image) -> Parsing | None:
        """The parse of a picture ``(H, W, 3)``, or ``None`` if it cannot be read."""
        height, width = image.shape[:2]
        try:
            return read_answer(self.form, self.labels, self.media_type, self.body, (height, width))
        except AnswerUnreadable as error:
            _log.warning("observed answer not read", why=str(error))
            return None

    @property
    def source(self) -> GivenSource:
        """What the parse came from: a service that answers in this form, as this sender tells."""
        form, origin = self.form, self.origin
        digest = digest_source(form.model_dump_json(), self.labels, origin.id)
        return GivenSource(digest, self.labels.names, f"{form.kind} of {origin.name}")

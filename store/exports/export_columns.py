"""What a row of an export is made of: names, kinds, units and meanings of its columns."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from detectors.registry import FEATURES

VERSION = 1


class Kind(StrEnum):
    """How the values of a column are to be read.

    ``TEXTS`` are lists of strings, ``JSON`` is a text that holds JSON.
    """

    TEXT = "text"
    TEXTS = "texts"
    JSON = "json"
    TIME = "time"
    INTEGER = "integer"
    NUMBER = "number"


@dataclass(frozen=True)
class Column:
    """One column of an export.

    Attributes:
        unit: as in the feature registry; empty for what is no measurement.
        group: of the feature, or ``request``.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    group: str = "request"

    def describe(self) -> dict[str, str]:
        """The column as metadata."""
        return {
            "kind": self.kind.value,
            "unit": self.unit,
            "group": self.group,
            "meaning": self.meaning,
        }


REQUEST_COLUMNS = (
    Column("request_id", Kind.TEXT, "Id that the client was given"),
    Column("received_at", Kind.TIME, "Arrival", "UTC"),
    Column("client", Kind.TEXT, "Who sent it: an address or the name of an API key"),
    Column("route", Kind.TEXT, "Way in: api, screen, proxy, observe or cli"),
    Column("stage", Kind.TEXT, "How far it came: admission, gate, parsed or failed"),
    Column("verdict", Kind.TEXT, "pass, flag or refuse"),
    Column("status", Kind.INTEGER, "HTTP status of the answer"),
    Column("content_sha256", Kind.TEXT, "SHA-256 of the upload"),
    Column("media_type", Kind.TEXT, "Type of the file by its content"),
    Column("segmenter", Kind.TEXT, "Digest of the model that parsed it"),
    Column("reasons", Kind.TEXTS, "Codes of rules or of the refusal, heaviest first"),
    Column("labels", Kind.TEXTS, "Labels that the parse shows"),
)
FINDINGS = Column("findings", Kind.JSON, "Rules that fired, with severity, evidence and places")
FEATURE_COLUMNS = tuple(
    Column(each.name, Kind.NUMBER, each.meaning, each.unit, each.group.value) for each in FEATURES
)
COLUMNS = (*REQUEST_COLUMNS, FINDINGS, *FEATURE_COLUMNS)
"""Every column, in the order of an export."""


@dataclass(frozen=True)
class Window:
    """Which requests: received at or after ``since`` and before ``until``."""

    since: datetime
    until: datetime


def description(window: Window) -> dict[str, object]:
    """What goes along with an export, so that whoever opens it knows what the numbers are."""
    return {
        "maskwatch_export": VERSION,
        "since": window.since.isoformat(),
        "until": window.until.isoformat(),
        "columns": [{"name": column.name, **column.describe()} for column in COLUMNS],
    }

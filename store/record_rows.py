"""What the tables hold of a record: one tuple a row, in the form that the drivers take."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from detectors.registry import FEATURE_NAMES
from store.bulk import Row
from store.records import RequestRecord, placed

REQUEST_COLUMNS = (
    *("id", "request_id", "received_at", "client", "route", "stage", "verdict", "status"),
    *("reasons", "content_sha256", "media_type", "segmenter", "labels"),
)
FEATURE_COLUMNS = ("request_pk", *FEATURE_NAMES)
REASON_COLUMNS = ("request_pk", "reason")
FINDING_COLUMNS = ("request_pk", "rule", "severity", "evidence", "places", "atlas", "owasp")
EVIDENCE_COLUMNS = ("request_pk", "kind", "sha256", "media_type")

Values = Sequence[float | None]


@dataclass(frozen=True)
class Forms:
    """How a driver takes what it would not take right by itself.

    Attributes:
        time: of an aware time.
        values: of features, of which NaN stands for one that was not measured.
    """

    time: Callable[[datetime], datetime | str]
    values: Callable[[Sequence[float]], Values]


def _text(moment: datetime) -> str:
    """As SQLAlchemy reads times back from SQLite."""
    return _aware(moment).replace(tzinfo=None).isoformat(" ", "microseconds")


def _aware(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _as_they_are(values: Sequence[float]) -> Values:
    """SQLite itself turns NaN into NULL."""
    return values


def _without_nan(values: Sequence[float]) -> Values:
    # NaN alone is not itself; asking `isnan` takes four times as long.
    return [None if value != value else value for value in values]  # noqa: PLR0124


FORMS = {"sqlite": Forms(_text, _as_they_are), "postgresql": Forms(_aware, _without_nan)}


def request_row(key: int, record: RequestRecord, forms: Forms) -> Row:
    """The row in ``requests``."""
    return (
        key,
        record.request_id,
        forms.time(record.received_at),
        record.client,
        record.route,
        record.stage.value,
        record.verdict.value,
        record.status,
        _names(record.reasons),
        record.content_sha256,
        record.media_type,
        record.segmenter,
        _names(record.labels),
    )


@lru_cache(maxsize=4096)
def _names(names: tuple[str, ...]) -> str:
    """JSON of a list that few requests do not share."""
    return json.dumps(names)


def feature_rows(key: int, record: RequestRecord, forms: Forms) -> list[Row]:
    """The row in ``request_features``; none for a request that was refused before."""
    if record.features is None:
        return []
    return [(key, *forms.values(record.features.values_in_order))]


def reason_rows(key: int, record: RequestRecord) -> list[Row]:
    """The rows in ``request_reasons``."""
    return [(key, reason) for reason in dict.fromkeys(record.reasons)]


def finding_rows(key: int, record: RequestRecord) -> list[Row]:
    """The rows in ``findings``."""
    return [
        (
            key,
            finding.rule.code,
            finding.rule.severity.value,
            json.dumps(dict(finding.evidence)),
            json.dumps(placed(finding.places)) if finding.places else None,
            finding.rule.atlas,
            finding.rule.owasp,
        )
        for finding in record.findings
    ]


def evidence_rows(key: int, record: RequestRecord) -> list[Row]:
    """The rows in ``evidence``."""
    return [(key, kept.kind, kept.sha256, kept.media_type) for kept in record.evidence]

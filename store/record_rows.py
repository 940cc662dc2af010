"""What the tables hold of a record: one tuple a row, in the form that the drivers take."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

from detectors.registry import FEATURE_NAMES
from store.bulk_rows import Row
from store.records import RequestRecord, placed

REQUEST_COLUMNS = (
    *("id", "request_id", "received_at", "client", "route", "stage", "verdict", "status"),
    *("reasons", "content_sha256", "media_type", "segmenter", "labels"),
)
FEATURE_COLUMNS = ("request_pk", *FEATURE_NAMES)
REASON_COLUMNS = ("request_pk", "reason")
FINDING_COLUMNS = ("request_pk", "rule", "severity", "evidence", "places", "atlas", "owasp")
EVIDENCE_COLUMNS = ("request_pk", "kind", "sha256", "media_type")

Time = Callable[[datetime], datetime | str]
_WITHOUT_ZONE = len("2026-01-01 00:00:00.000000")


def _text(moment: datetime) -> str:
    """As SQLAlchemy reads times back from SQLite."""
    return _aware(moment).isoformat(" ", "microseconds")[:_WITHOUT_ZONE]


def _aware(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


# How a driver takes an aware time.
TIMES: Mapping[str, Time] = {"sqlite": _text, "postgresql": _aware}


def request_row(key: int, record: RequestRecord, time: Time) -> Row:
    """The row in ``requests``, its time as the driver takes it."""
    return (
        key,
        record.request_id,
        time(record.received_at),
        record.client,
        record.route,
        str(record.stage),
        str(record.verdict),
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

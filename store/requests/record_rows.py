"""What the tables hold of a record: one tuple a row, in the form that the drivers take."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast

from sqlalchemy import Table

from detectors.registry import FEATURE_NAMES
from store.engine.bulk.rows import Row, Rows, Vectors
from store.requests.records import RequestRecord, Trace, dump_places
from store.tables.request_tables import (
    EvidenceRow,
    FindingRow,
    FingerprintRow,
    RequestRow,
    features_table,
    fingerprint_keys_table,
    reasons_table,
)

REQUEST_COLUMNS = (
    *("id", "request_id", "received_at", "client", "route", "stage", "verdict", "status"),
    *("reasons", "content_sha256", "media_type", "segmenter", "labels"),
    "sample_family",
)
FEATURE_COLUMNS = ("request_pk", *FEATURE_NAMES)
_REASON_COLUMNS = ("request_pk", "reason")
_FINDING_COLUMNS = ("request_pk", "rule", "severity", "evidence", "places", "atlas", "owasp")
_EVIDENCE_COLUMNS = ("request_pk", "kind", "sha256", "media_type")
_FINGERPRINT_COLUMNS = ("request_pk", "received_at", "client", "family", "data")
_FINGERPRINT_KEY_COLUMNS = ("key", "request_pk")

_REQUESTS, _FINDINGS, _EVIDENCE, _FINGERPRINTS = (
    cast(Table, row.__table__) for row in (RequestRow, FindingRow, EvidenceRow, FingerprintRow)
)

Time = Callable[[datetime], datetime | str]
_WITHOUT_ZONE = len("2026-01-01 00:00:00.000000")


def _text(moment: datetime) -> str:
    """As SQLAlchemy reads times back from SQLite."""
    return _aware(moment).isoformat(" ", "microseconds")[:_WITHOUT_ZONE]


def _aware(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


# How a driver takes an aware time.
TIMES: Mapping[str, Time] = {"sqlite": _text, "postgresql": _aware}


def rows_of(records: Sequence[tuple[int, RequestRecord]], dialect: str) -> Iterator[Rows | Vectors]:
    """What all tables hold of records with their keys; the longest rows first."""
    vectors = [(key, r.features.values_in_order) for key, r in records if r.features is not None]
    yield Vectors(features_table, FEATURE_COLUMNS, vectors)
    requests = [request_row(key, record, TIMES[dialect]) for key, record in records]
    yield Rows(_REQUESTS, REQUEST_COLUMNS, requests)
    reasons = [row for key, r in records if r.reasons for row in _reason_rows(key, r)]
    yield Rows(reasons_table, _REASON_COLUMNS, reasons)
    findings = [row for key, r in records if r.findings for row in _finding_rows(key, r)]
    yield Rows(_FINDINGS, _FINDING_COLUMNS, findings)
    evidence = [row for key, r in records if r.evidence for row in _evidence_rows(key, r)]
    yield Rows(_EVIDENCE, _EVIDENCE_COLUMNS, evidence)
    traces = [(key, r, r.trace) for key, r in records if r.trace is not None]
    fingerprints = [_fingerprint_row(key, r, trace, TIMES[dialect]) for key, r, trace in traces]
    yield Rows(_FINGERPRINTS, _FINGERPRINT_COLUMNS, fingerprints)
    keys = [(each, key) for key, _, trace in traces for each in trace.keys]
    yield Rows(fingerprint_keys_table, _FINGERPRINT_KEY_COLUMNS, keys)


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
        record.sample_family,
    )


@lru_cache(maxsize=4096)
def _names(names: tuple[str, ...]) -> str:
    """JSON of a list that few requests do not share."""
    return json.dumps(names)


def _reason_rows(key: int, record: RequestRecord) -> list[Row]:
    """The rows in ``request_reasons``."""
    return [(key, reason) for reason in dict.fromkeys(record.reasons)]


def _finding_rows(key: int, record: RequestRecord) -> list[Row]:
    """The rows in ``findings``."""
    return [
        (
            key,
            finding.rule.code,
            finding.rule.severity.value,
            json.dumps(dict(finding.evidence)),
            json.dumps(dump_places(finding.places)) if finding.places else None,
            finding.rule.atlas,
            finding.rule.owasp,
        )
        for finding in record.findings
    ]


def _evidence_rows(key: int, record: RequestRecord) -> list[Row]:
    """The rows in ``evidence``."""
    return [(key, file.kind, file.sha256, file.media_type) for file in record.evidence]


def _fingerprint_row(key: int, record: RequestRecord, trace: Trace, time: Time) -> Row:
    """The row in ``fingerprints``."""
    return (key, time(record.received_at), record.client, trace.family, trace.data)

"""Tables of requests and of what belongs to each; feature columns come from the registry."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from detectors.registry import FEATURES
from store.tables.base import Base, BigId


class RequestRow(Base):
    """One request: who sent what, and what became of it.

    Its key says when; see :mod:`store.requests.request_keys`. Rows that belong to a request carry
    its key without a foreign key: PostgreSQL keeps each day in partitions that are dropped as a
    whole.
    """

    __tablename__ = "requests"
    __table_args__ = (
        Index(None, "client", "id"),
        Index(None, "verdict", "id"),
        Index(
            "ix_requests_sample",
            *("segmenter", "id"),
            sqlite_where=text("sample_family IS NOT NULL"),
            postgresql_where=text("sample_family IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    request_id: Mapped[str] = mapped_column(String(36), index=True)
    received_at: Mapped[datetime]
    client: Mapped[str] = mapped_column(String(80))
    route: Mapped[str] = mapped_column(String(8))
    stage: Mapped[str] = mapped_column(String(16))
    verdict: Mapped[str] = mapped_column(String(8))
    status: Mapped[int]
    reasons: Mapped[list[str]]
    content_sha256: Mapped[str | None] = mapped_column(String(64))
    media_type: Mapped[str | None] = mapped_column(String(32))
    segmenter: Mapped[str | None] = mapped_column(String(64))
    labels: Mapped[list[str]]
    # Of a request that belongs to the sample which its source is learnt from.
    sample_family: Mapped[str | None] = mapped_column(String(36))


features_table = Table(
    "request_features",
    Base.metadata,
    Column("request_pk", BigId, primary_key=True, autoincrement=False),
    *(Column(feature.name, Double, comment=feature.unit) for feature in FEATURES),
)

# Each reason of each request, for whoever looks for one.
reasons_table = Table(
    "request_reasons",
    Base.metadata,
    Column("request_pk", BigId, primary_key=True, autoincrement=False),
    Column("reason", String(64), primary_key=True),
    Index(None, "reason", "request_pk"),
    sqlite_with_rowid=False,
)


class FindingRow(Base):
    """A rule that fired on a request."""

    __tablename__ = "findings"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_pk: Mapped[int] = mapped_column(BigId, index=True)
    rule: Mapped[str] = mapped_column(String(64))
    severity: Mapped[str] = mapped_column(String(8))
    evidence: Mapped[dict[str, Any]]
    places: Mapped[list[dict[str, Any]] | None]
    atlas: Mapped[str] = mapped_column(String(16))
    owasp: Mapped[str] = mapped_column(String(16))


class FingerprintRow(Base):
    """What is remembered of a picture for a while, to recognise its near-duplicates."""

    __tablename__ = "fingerprints"

    request_pk: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    received_at: Mapped[datetime] = mapped_column(index=True)
    client: Mapped[str] = mapped_column(String(80))
    family: Mapped[str] = mapped_column(String(36), index=True)
    data: Mapped[bytes]


# What a lookup probes. Primary keys of requests grow with time: the newest stand last in an index.
fingerprint_keys_table = Table(
    "fingerprint_keys",
    Base.metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "request_pk",
        BigId,
        ForeignKey("fingerprints.request_pk", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    ),
    sqlite_with_rowid=False,
)


class EvidenceRow(Base):
    """A content-addressed picture kept for a flagged or sampled request."""

    __tablename__ = "evidence"
    __table_args__ = (UniqueConstraint("request_pk", "kind"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_pk: Mapped[int] = mapped_column(BigId)
    kind: Mapped[str] = mapped_column(String(16))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    media_type: Mapped[str] = mapped_column(String(32))


class ScoreRow(Base):
    """How unusual one model found one request.

    Attributes:
        q_value: of an outlier, the smallest false-discovery rate at which its scan selects it.
        scan_id: the scan that scored it.
        calibrated_on: ``source`` if it was compared with requests of its source alone, else
            ``all``; and ``calibration_rows`` with how many.
    """

    __tablename__ = "scores"
    __table_args__ = (
        UniqueConstraint("request_pk", "model_id"),
        # Outliers alone: they are few, and they are what people look for. SQLite reads the index
        # without the table only if it has the column that all of its rows agree in.
        Index(
            "ix_scores_outliers",
            *("request_pk", "outlier"),
            sqlite_where=text("outlier = 1"),
            postgresql_where=text("outlier"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_pk: Mapped[int] = mapped_column(BigId)
    model_id: Mapped[int] = mapped_column(BigId, ForeignKey("outlier_models.id"))
    scored_at: Mapped[datetime]
    score: Mapped[float]
    p_value: Mapped[float]
    q_value: Mapped[float | None] = mapped_column(Double)
    outlier: Mapped[bool]
    contributions: Mapped[dict[str, Any]]
    scan_id: Mapped[int | None] = mapped_column(BigInteger)
    calibrated_on: Mapped[str | None] = mapped_column(String(8))
    calibration_rows: Mapped[int | None]

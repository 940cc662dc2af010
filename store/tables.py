"""The tables. One class each; feature columns come from the registry in ``detectors``."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from detectors.registry import FEATURES
from store.types import UtcDateTime

# SQLite only auto-increments a column that is declared INTEGER.
BigId = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """Maps ``datetime`` to UTC and names every constraint, so that migrations can drop them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(),
        list[dict[str, Any]]: JSON(none_as_null=True),
        list[str]: JSON(),
    }


class RequestRow(Base):
    """One request: who sent what, and what became of it.

    Its key says when; see :mod:`store.keys`. Rows that belong to a request carry its key without a
    foreign key: PostgreSQL keeps each day in partitions that are dropped as a whole.
    """

    __tablename__ = "requests"
    __table_args__ = (Index(None, "client", "id"), Index(None, "verdict", "id"))

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


class OutlierModelRow(Base):
    """A trained outlier model; the archive itself lies in a content-addressed file."""

    __tablename__ = "outlier_models"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    trained_at: Mapped[datetime]
    rows: Mapped[int]
    promoted: Mapped[bool]
    metrics: Mapped[dict[str, Any]]


class ScoreRow(Base):
    """How unusual one model found one request."""

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
    scored_at: Mapped[datetime] = mapped_column(index=True)
    score: Mapped[float]
    p_value: Mapped[float]
    outlier: Mapped[bool]
    contributions: Mapped[dict[str, Any]]


class DecisionRow(Base):
    """A blacklist or allow-list entry. Appended, expired or revoked; never deleted."""

    __tablename__ = "decisions"
    __table_args__ = (Index(None, "scope", "value", "until"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    scope: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(80))
    scenario: Mapped[str] = mapped_column(String(32))
    origin: Mapped[str] = mapped_column(String(16))
    simulated: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]]
    created_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(index=True)
    until: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(80))
    revoked_reason: Mapped[str | None] = mapped_column(Text)


class AlertRow(Base):
    """A stateful condition that people are told about; one open row per fingerprint."""

    __tablename__ = "alerts"
    __table_args__ = (Index(None, "fingerprint", "state"), Index(None, "state", "id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(120))
    rule: Mapped[str] = mapped_column(String(64))
    severity: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(16))
    summary: Mapped[str] = mapped_column(Text)
    value: Mapped[float]
    threshold: Mapped[float]
    evidence: Mapped[dict[str, Any]]
    atlas: Mapped[str] = mapped_column(String(16))
    owasp: Mapped[str] = mapped_column(String(16))
    fired_at: Mapped[datetime] = mapped_column(index=True)
    evaluated_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None] = mapped_column(String(80))
    resolved_at: Mapped[datetime | None]


class NotificationRow(Base):
    """The outbox: one attempt series to tell somebody about one alert event."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("alert_id", "event"),
        Index(None, "state", "next_attempt_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(BigId, ForeignKey("alerts.id"))
    event: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    attempts: Mapped[int]
    transport: Mapped[str | None] = mapped_column(String(16))
    destination: Mapped[str | None] = mapped_column(Text)
    last_error: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[datetime | None]


class JobRunRow(Base):
    """One run of one job."""

    __tablename__ = "job_runs"
    __table_args__ = (Index(None, "job", "started_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    job: Mapped[str] = mapped_column(String(32))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(16))
    rows: Mapped[int]
    message: Mapped[str | None] = mapped_column(Text)


class LoginTokenRow(Base):
    """A one-time sign-in token, or the browser session it was exchanged for; hashes only."""

    __tablename__ = "login_tokens"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    subject: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiKeyRow(Base):
    """A key that clients name themselves with; the key itself is stored as a hash only."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    key_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(80))
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(80))


class LoadedModelRow(Base):
    """A model that a service loaded; appended, never changed."""

    __tablename__ = "loaded_models"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    host: Mapped[str] = mapped_column(String(255), index=True)
    service: Mapped[str] = mapped_column(String(300))
    segmenter: Mapped[str] = mapped_column(String(64))
    path: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    files: Mapped[dict[str, Any]]
    signed_by: Mapped[str | None] = mapped_column(String(64))
    loaded_at: Mapped[datetime]


class ChangeMarkRow(Base):
    """A counter that moves with every change of what other processes keep a copy of."""

    __tablename__ = "change_marks"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)


class SequenceRow(Base):
    """The last key that was handed out."""

    __tablename__ = "sequences"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)


class RollUpRow(Base):
    """How many requests a bucket of time had, by one property of theirs and by verdict.

    ``resolution`` is the length of the bucket and ``start`` its begin since 1970, in seconds.
    """

    __tablename__ = "roll_ups"
    __table_args__ = ({"sqlite_with_rowid": False},)

    resolution: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    dimension: Mapped[str] = mapped_column(String(8), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    verdict: Mapped[str] = mapped_column(String(8), primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)


class ClientRow(Base):
    """A client whose requests are rolled up; ``bad`` are those that did not pass."""

    __tablename__ = "clients"
    __table_args__ = (Index(None, "last_seen", "client"), {"sqlite_with_rowid": False})

    client: Mapped[str] = mapped_column(String(80), primary_key=True)
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    requests: Mapped[int] = mapped_column(BigInteger)
    bad: Mapped[int] = mapped_column(BigInteger)

"""Tables of what people and jobs do: models, decisions, alerts, runs, keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, BigId


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


class ScanRow(Base):
    """A scan: which records it scored, and whether its outliers are selected yet.

    Attributes:
        after_key: no record up to this key was scored by it.
        through_key: its newest record.
        leaves_gap: whether it left out older records that no model has scored.
        requests: records that it scored so far.
        decided_at: when its outliers were selected; until then it has none.
        calibration_rows: vetted requests that most scores were compared with.
        is_promised: whether they were enough to promise the false-discovery rate.
    """

    __tablename__ = "scans"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    started_at: Mapped[datetime]
    after_key: Mapped[int] = mapped_column(BigInteger)
    through_key: Mapped[int] = mapped_column(BigInteger)
    leaves_gap: Mapped[bool]
    requests: Mapped[int]
    decided_at: Mapped[datetime | None]
    false_discovery_rate: Mapped[float | None] = mapped_column(Double)
    calibration_rows: Mapped[int | None]
    is_promised: Mapped[bool | None]
    outliers: Mapped[int | None]


class DecisionRow(Base):
    """A blacklist or allow-list entry. Appended, expired or revoked; never deleted.

    One that a longer one of the same list replaces ends when that begins.
    ``version`` is that of the change mark when it was made or revoked: who keeps a copy reads what
    came since. ``model_digest`` is the outlier model that was promoted when a job decided.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        Index(None, "scope", "value", "until"),
        # Few name one.
        Index(
            "ix_decisions_family",
            *("family", "id"),
            sqlite_where=text("family IS NOT NULL"),
            postgresql_where=text("family IS NOT NULL"),
        ),
    )

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
    family: Mapped[str | None] = mapped_column(String(36))
    model_digest: Mapped[str | None] = mapped_column(String(64))
    version: Mapped[int | None] = mapped_column(BigInteger, index=True)


class ProposalRow(Base):
    """A block that a job may not make by itself: a person accepts or declines it, or it expires.

    Nothing that refuses requests reads this table.
    """

    __tablename__ = "proposals"
    __table_args__ = (Index(None, "scope", "value", "expires_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    scope: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(80))
    scenario: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]]
    minutes: Mapped[int]
    model_digest: Mapped[str | None] = mapped_column(String(64))
    family: Mapped[str | None] = mapped_column(String(36))
    limit_reached: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None] = mapped_column(String(80))
    answer: Mapped[str | None] = mapped_column(String(8))
    answer_reason: Mapped[str | None] = mapped_column(Text)
    decision_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("decisions.id"))


class ScenarioRow(Base):
    """A scenario that a person turned on: its blocks are enforced."""

    __tablename__ = "scenarios"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    enabled_at: Mapped[datetime]
    enabled_by: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(Text)


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
    """The outbox: one attempt series to tell one receiver about one alert event.

    A row without a receiver has just been queued. Those that went out before each receiver had a
    row of its own have none either; their destination names them all.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("alert_id", "event", "recipient"),
        Index(None, "state", "next_attempt_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(BigId, ForeignKey("alerts.id"))
    event: Mapped[str] = mapped_column(String(16))
    recipient: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    attempts: Mapped[int]
    transport: Mapped[str | None] = mapped_column(String(16))
    destination: Mapped[str | None] = mapped_column(Text)
    last_error: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[datetime | None]


class JobRunRow(Base):
    """One run of one job; keys grow in the order of the runs, times need not."""

    __tablename__ = "job_runs"
    __table_args__ = (Index(None, "job", "id"),)

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
    scopes: Mapped[list[str] | None]
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


class LeaseRow(Base):
    """Who does the work that one process at a time may do; the migration makes the row."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    token: Mapped[str | None] = mapped_column(String(36))
    holder: Mapped[str | None] = mapped_column(String(300))
    since: Mapped[datetime | None]
    renewed_at: Mapped[datetime | None]
    idle_seconds: Mapped[float]
    max_idle_seconds: Mapped[float]

"""The first tables.

Revision: 0001
Revises: nothing

Safety: creates tables only; nothing is locked. Going back drops every table and all records.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.column_types import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("fingerprint", sa.String(length=120), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("atlas", sa.String(length=16), nullable=False),
        sa.Column("owasp", sa.String(length=16), nullable=False),
        sa.Column("fired_at", UtcDateTime(), nullable=False),
        sa.Column("evaluated_at", UtcDateTime(), nullable=False),
        sa.Column("acknowledged_at", UtcDateTime(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=80), nullable=True),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_alerts_fingerprint_state"), ["fingerprint", "state"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_alerts_fired_at"), ["fired_at"], unique=False)

    op.create_table(
        "decisions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=80), nullable=False),
        sa.Column("scenario", sa.String(length=32), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_by", sa.String(length=80), nullable=True),
        sa.Column("revoked_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_decisions_created_at"), ["created_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_decisions_scope_value_until"), ["scope", "value", "until"], unique=False
        )

    op.create_table(
        "job_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
    )
    with op.batch_alter_table("job_runs", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_job_runs_job_started_at"), ["job", "started_at"], unique=False
        )

    op.create_table(
        "login_tokens",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_tokens")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_login_tokens_token_sha256")),
    )
    op.create_table(
        "outlier_models",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("trained_at", UtcDateTime(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("promoted", sa.Boolean(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outlier_models")),
        sa.UniqueConstraint("digest", name=op.f("uq_outlier_models_digest")),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("client", sa.String(length=80), nullable=False),
        sa.Column("route", sa.String(length=8), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=True),
        sa.Column("media_type", sa.String(length=32), nullable=True),
        sa.Column("segmenter", sa.String(length=64), nullable=True),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
        sa.UniqueConstraint("request_id", name=op.f("uq_requests_request_id")),
    )
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_requests_client_received_at"), ["client", "received_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_requests_content_sha256"), ["content_sha256"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_requests_received_at"), ["received_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_requests_verdict_received_at"), ["verdict", "received_at"], unique=False
        )

    op.create_table(
        "evidence",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "request_pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_pk"], ["requests.id"], name=op.f("fk_evidence_request_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("request_pk", "kind", name=op.f("uq_evidence_request_pk_kind")),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_request_pk"), ["request_pk"], unique=False)

    op.create_table(
        "findings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "request_pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("atlas", sa.String(length=16), nullable=False),
        sa.Column("owasp", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_pk"], ["requests.id"], name=op.f("fk_findings_request_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
    )
    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_findings_request_pk"), ["request_pk"], unique=False)
        batch_op.create_index(batch_op.f("ix_findings_rule"), ["rule"], unique=False)

    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("transport", sa.String(length=16), nullable=True),
        sa.Column("destination", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_notifications_alert_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("alert_id", "event", name=op.f("uq_notifications_alert_id_event")),
    )
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_notifications_state_next_attempt_at"),
            ["state", "next_attempt_at"],
            unique=False,
        )

    op.create_table(
        "request_features",
        sa.Column(
            "request_pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("upload_bytes", sa.Double(), nullable=True, comment="bytes"),
        sa.Column("width", sa.Double(), nullable=True, comment="pixels"),
        sa.Column("height", sa.Double(), nullable=True, comment="pixels"),
        sa.Column("grey_entropy", sa.Double(), nullable=True, comment="nats"),
        sa.Column("flat_share", sa.Double(), nullable=True, comment="share"),
        sa.Column("laplacian_variance", sa.Double(), nullable=True, comment="grey levels²"),
        sa.Column("high_frequency_share", sa.Double(), nullable=True, comment="share"),
        sa.Column("spectral_slope", sa.Double(), nullable=True, comment="log-log slope"),
        sa.Column("periodic_peak", sa.Double(), nullable=True, comment="log ratio"),
        sa.Column("median_residual", sa.Double(), nullable=True, comment="grey levels"),
        sa.Column("jpeg_blockiness", sa.Double(), nullable=True, comment="ratio"),
        sa.Column("faces_found", sa.Double(), nullable=True, comment="count"),
        sa.Column("entropy_mean", sa.Double(), nullable=True, comment="nats"),
        sa.Column("entropy_p95", sa.Double(), nullable=True, comment="nats"),
        sa.Column("entropy_foreground", sa.Double(), nullable=True, comment="nats"),
        sa.Column("margin_mean", sa.Double(), nullable=True, comment="share"),
        sa.Column("max_softmax_mean", sa.Double(), nullable=True, comment="share"),
        sa.Column("foreground_share", sa.Double(), nullable=True, comment="share"),
        sa.Column("confidence_face", sa.Double(), nullable=True, comment="share"),
        sa.Column("confidence_hair", sa.Double(), nullable=True, comment="share"),
        sa.Column("confidence_arms", sa.Double(), nullable=True, comment="share"),
        sa.Column("confidence_legs", sa.Double(), nullable=True, comment="share"),
        sa.Column("confidence_feet", sa.Double(), nullable=True, comment="share"),
        sa.Column("confidence_clothes", sa.Double(), nullable=True, comment="share"),
        sa.Column("persons", sa.Double(), nullable=True, comment="count"),
        sa.Column("components", sa.Double(), nullable=True, comment="count"),
        sa.Column("fragments_per_person", sa.Double(), nullable=True, comment="count"),
        sa.Column("holes", sa.Double(), nullable=True, comment="count"),
        sa.Column("boundary_share", sa.Double(), nullable=True, comment="share"),
        sa.Column("skin_share", sa.Double(), nullable=True, comment="share"),
        sa.Column("headless_share", sa.Double(), nullable=True, comment="share"),
        sa.Column("head_torso_gap", sa.Double(), nullable=True, comment="body heights"),
        sa.Column("torso_legs_gap", sa.Double(), nullable=True, comment="body heights"),
        sa.Column("trousers_feet_gap", sa.Double(), nullable=True, comment="body heights"),
        sa.Column("stray_share", sa.Double(), nullable=True, comment="share"),
        sa.Column("gate_ms", sa.Double(), nullable=True, comment="ms"),
        sa.Column("forward_ms", sa.Double(), nullable=True, comment="ms"),
        sa.Column("measure_ms", sa.Double(), nullable=True, comment="ms"),
        sa.Column("total_ms", sa.Double(), nullable=True, comment="ms"),
        sa.ForeignKeyConstraint(
            ["request_pk"],
            ["requests.id"],
            name=op.f("fk_request_features_request_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("request_pk", name=op.f("pk_request_features")),
    )
    op.create_table(
        "scores",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "request_pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("model_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scored_at", UtcDateTime(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("p_value", sa.Double(), nullable=False),
        sa.Column("outlier", sa.Boolean(), nullable=False),
        sa.Column("contributions", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["outlier_models.id"], name=op.f("fk_scores_model_id")
        ),
        sa.ForeignKeyConstraint(
            ["request_pk"], ["requests.id"], name=op.f("fk_scores_request_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scores")),
        sa.UniqueConstraint("request_pk", "model_id", name=op.f("uq_scores_request_pk_model_id")),
    )
    with op.batch_alter_table("scores", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_scores_scored_at"), ["scored_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("scores", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_scores_scored_at"))

    op.drop_table("scores")
    op.drop_table("request_features")
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notifications_state_next_attempt_at"))

    op.drop_table("notifications")
    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_findings_rule"))
        batch_op.drop_index(batch_op.f("ix_findings_request_pk"))

    op.drop_table("findings")
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evidence_request_pk"))

    op.drop_table("evidence")
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_requests_verdict_received_at"))
        batch_op.drop_index(batch_op.f("ix_requests_received_at"))
        batch_op.drop_index(batch_op.f("ix_requests_content_sha256"))
        batch_op.drop_index(batch_op.f("ix_requests_client_received_at"))

    op.drop_table("requests")
    op.drop_table("outlier_models")
    op.drop_table("login_tokens")
    with op.batch_alter_table("job_runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_runs_job_started_at"))

    op.drop_table("job_runs")
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_decisions_scope_value_until"))
        batch_op.drop_index(batch_op.f("ix_decisions_created_at"))

    op.drop_table("decisions")
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alerts_fired_at"))
        batch_op.drop_index(batch_op.f("ix_alerts_fingerprint_state"))

    op.drop_table("alerts")

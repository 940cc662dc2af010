"""What is learnt of the sources: sampled requests, baselines, phases, alarm budgets.

Revision: 0020
Revises: 0019

Safety: adds columns without a default, which neither rewrites the tables nor keeps them locked for
longer than a moment, an index of the sampled requests alone, of which there are none yet, and small
tables. Making the index reads the requests once, with writers waiting: some seconds for ten
million. Going back drops all of it: every source is then learnt anew.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.column_types import UtcDateTime

revision = "0020"
down_revision = "0019"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MARKS = sa.table("change_marks", sa.column("name", sa.String), sa.column("version", sa.BigInteger))
_FEATURES = (
    ("worst_skin_share", "share"),
    ("worst_trousers_gap", "body heights"),
    ("worst_faceless_hair", "share"),
)


def upgrade() -> None:
    # Not in a batch: SQLite adds the columns in place.
    op.add_column("requests", sa.Column("sample_family", sa.String(36), nullable=True))
    op.create_index(
        "ix_requests_sample",
        "requests",
        ["segmenter", "id"],
        sqlite_where=sa.text("sample_family IS NOT NULL"),
        postgresql_where=sa.text("sample_family IS NOT NULL"),
    )
    for name, unit in _FEATURES:
        op.add_column("request_features", sa.Column(name, sa.Double(), nullable=True, comment=unit))
    _make_baselines()
    _make_sources()
    _make_budgets()
    op.bulk_insert(_MARKS, [{"name": "sources", "version": 0}])


def downgrade() -> None:
    op.execute(_MARKS.delete().where(_MARKS.c.name == "sources"))
    op.drop_table("rule_budgets")
    op.drop_table("sources")
    op.drop_table("baselines")
    for name, _ in reversed(_FEATURES):
        op.drop_column("request_features", name)
    op.drop_index("ix_requests_sample", "requests")
    op.drop_column("requests", "sample_family")


def _make_baselines() -> None:
    op.create_table(
        "baselines",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("origin", sa.String(8), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("clients", sa.Integer(), nullable=False),
        sa.Column("learnt_at", UtcDateTime(), nullable=False),
        sa.Column("promoted_at", UtcDateTime(), nullable=True),
        sa.Column("promoted_by", sa.String(80), nullable=True),
        sa.Column("parent_id", _BIG_ID, nullable=True),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["baselines.id"], name="fk_baselines_parent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_baselines"),
        sa.UniqueConstraint("digest", name="uq_baselines_digest"),
    )
    op.create_index("ix_baselines_source_id", "baselines", ["source", "id"])


def _make_sources() -> None:
    op.create_table(
        "sources",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("baseline_id", _BIG_ID, nullable=True),
        sa.Column("anchor_id", _BIG_ID, nullable=True),
        sa.Column("learning_since", UtcDateTime(), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("clients", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("is_strange", sa.Boolean(), nullable=False),
        sa.Column("tested_at", UtcDateTime(), nullable=True),
        sa.Column("learnt_at", UtcDateTime(), nullable=True),
        sa.Column("max_entropy", sa.Double(), nullable=True),
        sa.Column("limits", sa.JSON(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["baseline_id"], ["baselines.id"], name="fk_sources_baseline_id"),
        sa.ForeignKeyConstraint(["anchor_id"], ["baselines.id"], name="fk_sources_anchor_id"),
        sa.PrimaryKeyConstraint("digest", name="pk_sources"),
    )


def _make_budgets() -> None:
    op.create_table(
        "rule_budgets",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("budget", sa.Double(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("clients", sa.Integer(), nullable=False),
        sa.Column("firing_clients", sa.Integer(), nullable=False),
        sa.Column("is_demoted", sa.Boolean(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("counted_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", "rule", name="pk_rule_budgets"),
    )

"""Families of unusual requests, which request belongs to which, and what people say of them.

Revision: 0027
Revises: 0026

Safety: makes three small tables, a column of a small one, and an index of decisions, which locks
these for as long as it takes to read them. Going back drops all of it, and with it what people said
and the numbers of families: the next runs form them anew, under new numbers.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.column_types import UtcDateTime

revision = "0027"
down_revision = "0026"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "families",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("formed_at", UtcDateTime(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("clients", sa.Integer(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("shared", sa.JSON(), nullable=False),
        sa.Column("merged_into", _BIG_ID, nullable=True),
        sa.Column("merged_at", UtcDateTime(), nullable=True),
        sa.Column("feedback", sa.String(16), nullable=True),
        sa.Column("feedback_by", sa.String(80), nullable=True),
        sa.Column("feedback_reason", sa.Text(), nullable=True),
        sa.Column("feedback_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["merged_into"], ["families.id"], name=op.f("fk_families_merged_into")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_families")),
    )
    op.create_index(op.f("ix_families_merged_into_last_at"), "families", ["merged_into", "last_at"])
    op.create_table(
        "family_members",
        sa.Column("request_pk", _BIG_ID, autoincrement=False, nullable=False),
        sa.Column("family_id", _BIG_ID, nullable=True),
        sa.Column("looked_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"], ["families.id"], name=op.f("fk_family_members_family_id")
        ),
        sa.PrimaryKeyConstraint("request_pk", name=op.f("pk_family_members")),
    )
    op.create_index(
        op.f("ix_family_members_family_id_request_pk"),
        "family_members",
        ["family_id", "request_pk"],
    )
    op.create_table(
        "feedback",
        sa.Column("request_pk", _BIG_ID, autoincrement=False, nullable=False),
        sa.Column("feedback", sa.String(16), nullable=False),
        sa.Column("said_by", sa.String(80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("said_at", UtcDateTime(), nullable=False),
        sa.Column("family_id", _BIG_ID, nullable=True),
        sa.ForeignKeyConstraint(["family_id"], ["families.id"], name=op.f("fk_feedback_family_id")),
        sa.PrimaryKeyConstraint("request_pk", name=op.f("pk_feedback")),
    )
    op.add_column("proposals", sa.Column("family", sa.String(36), nullable=True))
    is_named = sa.text("family IS NOT NULL")
    op.create_index(
        op.f("ix_decisions_family"),
        "decisions",
        ["family", "id"],
        sqlite_where=is_named,
        postgresql_where=is_named,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_decisions_family"), "decisions")
    op.drop_column("proposals", "family")
    op.drop_table("feedback")
    op.drop_table("family_members")
    op.drop_table("families")

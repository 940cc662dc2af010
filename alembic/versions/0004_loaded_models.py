"""Which service loaded which model.

Revision: 0004
Revises: 0003

Safety: creates one empty table; nothing is locked. Going back drops it: the job ``integrity`` then
has nothing to compare with until each service was started again.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.column_types import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "loaded_models",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("service", sa.String(length=300), nullable=False),
        sa.Column("segmenter", sa.String(length=64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("signed_by", sa.String(length=64), nullable=True),
        sa.Column("loaded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loaded_models")),
    )
    with op.batch_alter_table("loaded_models", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_loaded_models_host"), ["host"], unique=False)


def downgrade() -> None:
    op.drop_table("loaded_models")

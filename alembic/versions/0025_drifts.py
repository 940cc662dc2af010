"""How far the traffic of each source is from what the outlier model learnt from.

Revision: 0025
Revises: 0024

Safety: makes a small table. Going back drops it: what it says is found anew by the next run.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.column_types import UtcDateTime

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "drifts",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("model_digest", sa.String(64), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("tested_at", UtcDateTime(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("networks", sa.Integer(), nullable=False),
        sa.Column("shifts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_drifts")),
    )


def downgrade() -> None:
    op.drop_table("drifts")

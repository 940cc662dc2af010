"""Who runs the jobs: a lease in the database instead of a lock of a session or of a file.

Revision: 0016
Revises: 0015

Safety: creates one table of one row; nothing is locked. Stop every `maskwatch jobs` before: one of
the version before knows nothing of the lease. Going back drops the table; stop them before, too.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.column_types import UtcDateTime

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    leases = op.create_table(
        "leases",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.String(length=36), nullable=True),
        sa.Column("holder", sa.String(length=300), nullable=True),
        sa.Column("since", UtcDateTime(), nullable=True),
        sa.Column("renewed_at", UtcDateTime(), nullable=True),
        sa.Column("idle_seconds", sa.Double(), nullable=False),
        sa.Column("max_idle_seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    free = {"name": "jobs", "version": 0, "idle_seconds": 0.0, "max_idle_seconds": 0.0}
    op.bulk_insert(leases, [free])


def downgrade() -> None:
    op.drop_table("leases")

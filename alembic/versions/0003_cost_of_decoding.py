"""What decoding costs: time of the worker and its peak memory.

Revision: 0003
Revises: 0002

Safety: adds two columns without a default, which neither rewrites the table nor keeps it locked for
longer than a moment on either database. Going back drops them and their numbers.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("request_features", schema=None) as batch_op:
        batch_op.add_column(sa.Column("decode_ms", sa.Double(), nullable=True, comment="ms"))
        batch_op.add_column(sa.Column("decode_peak_mb", sa.Double(), nullable=True, comment="MB"))


def downgrade() -> None:
    with op.batch_alter_table("request_features", schema=None) as batch_op:
        batch_op.drop_column("decode_peak_mb")
        batch_op.drop_column("decode_ms")

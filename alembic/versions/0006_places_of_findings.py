"""Where in a picture a finding is.

Revision: 0006
Revises: 0005

Safety: adds one column without a default, which neither rewrites the table nor keeps it locked for
longer than a moment on either database. Going back drops it and what it holds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("places", sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.drop_column("places")

"""What a search for a tile that hides something measures.

Revision: 0009
Revises: 0008

Safety: adds columns without a default, which neither rewrites the table nor keeps it locked for
longer than a moment on either database. Going back drops them and their numbers.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

# Each is a share, as it was when this was written.
_COLUMNS = (
    "trigger_return_share",
    "trigger_return_area",
    "trigger_moved_share",
    "trigger_score",
)


def upgrade() -> None:
    with op.batch_alter_table("request_features", schema=None) as batch_op:
        for name in _COLUMNS:
            batch_op.add_column(sa.Column(name, sa.Double(), nullable=True, comment="share"))


def downgrade() -> None:
    with op.batch_alter_table("request_features", schema=None) as batch_op:
        for name in reversed(_COLUMNS):
            batch_op.drop_column(name)

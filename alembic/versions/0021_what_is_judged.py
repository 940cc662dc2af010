"""Which persons and faces are judged, and what else sees a face.

Revision: 0021
Revises: 0019

Safety: adds empty columns, which takes a moment on both databases. Going back drops them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_COLUMNS = {
    "faces_hidden": "count",
    "persons_judged": "count",
    "face_signs": "count",
}


def upgrade() -> None:
    # Not in a batch: SQLite would copy the whole table.
    for name, unit in _COLUMNS.items():
        op.add_column("request_features", sa.Column(name, sa.Double(), nullable=True, comment=unit))


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("request_features", name)

"""How far the parse moves in its worst tile, and which parts come back.

Revision: 0007
Revises: 0006

Safety: adds columns without a default, which neither rewrites the table nor keeps it locked for
longer than a moment on either database. Going back drops them and their numbers.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# Name and unit of each column, as they were when this was written.
_COLUMNS = (
    ("colour_detail_tile", "levels"),
    ("glance_divergence", "nats"),
    ("glance_tile_divergence", "nats"),
    ("glance_entropy", "nats"),
    ("glance_withdrawn_share", "share"),
    ("glance_returned_person_share", "share"),
    ("glance_returned_face_share", "share"),
    ("glance_returned_hair_share", "share"),
    ("glance_returned_arms_share", "share"),
    ("glance_returned_legs_share", "share"),
    ("glance_returned_feet_share", "share"),
    ("glance_returned_clothes_share", "share"),
    ("tile_js_consensus", "nats"),
    ("tile_js_jpeg", "nats"),
    ("tile_js_median", "nats"),
    ("tile_js_bit_depth", "nats"),
    ("tile_js_rescale", "nats"),
    ("tile_js_mirror", "nats"),
    ("tamper_score", "ratio"),
    ("glance_ms", "ms"),
)


def upgrade() -> None:
    with op.batch_alter_table("request_features", schema=None) as batch_op:
        for name, unit in _COLUMNS:
            batch_op.add_column(sa.Column(name, sa.Double(), nullable=True, comment=unit))


def downgrade() -> None:
    with op.batch_alter_table("request_features", schema=None) as batch_op:
        for name, _ in reversed(_COLUMNS):
            batch_op.drop_column(name)

"""What an ensemble of looks measures, and what it costs.

Revision: 0005
Revises: 0004

Safety: adds columns without a default, which neither rewrites the table nor keeps it locked for
longer than a moment on either database. Going back drops them and their numbers.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

# Name and unit of each column, as they were when this was written.
_COLUMNS = (
    ("ensemble_variance", "share²"),
    ("ensemble_entropy", "nats"),
    ("mutual_information", "nats"),
    ("label_disagreement", "share"),
    ("worst_member_iou", "share"),
    ("worst_group_iou", "share"),
    ("js_consensus", "nats"),
    ("hidden_area_share", "share"),
    ("hidden_foreground_share", "share"),
    ("hidden_face_share", "share"),
    ("hidden_hair_share", "share"),
    ("hidden_arms_share", "share"),
    ("hidden_legs_share", "share"),
    ("hidden_feet_share", "share"),
    ("hidden_clothes_share", "share"),
    ("js_jpeg", "nats"),
    ("js_median", "nats"),
    ("js_bit_depth", "nats"),
    ("js_rescale", "nats"),
    ("js_mirror", "nats"),
    ("hidden_squeeze_share", "share"),
    ("patch_consistency", "share"),
    ("ensemble_ms", "ms"),
    ("ensemble_passes", "count"),
)


def upgrade() -> None:
    with op.batch_alter_table("request_features", schema=None) as batch_op:
        for name, unit in _COLUMNS:
            batch_op.add_column(sa.Column(name, sa.Double(), nullable=True, comment=unit))


def downgrade() -> None:
    with op.batch_alter_table("request_features", schema=None) as batch_op:
        for name, _ in reversed(_COLUMNS):
            batch_op.drop_column(name)

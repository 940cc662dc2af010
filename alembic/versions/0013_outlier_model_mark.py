"""A change mark for the promoted outlier model, which services keep a copy of.

Revision: 0013
Revises: 0012

Safety: adds one row to a small table; nothing is locked for longer than that takes. Services of the
version before do not look at it. Going back deletes the row: promotions fail with services or jobs
of the newer version, which do not run on an older schema anyway.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_MARKS = sa.table("change_marks", sa.column("name", sa.String), sa.column("version", sa.BigInteger))


def upgrade() -> None:
    op.bulk_insert(_MARKS, [{"name": "outlier_model", "version": 0}])


def downgrade() -> None:
    op.execute(_MARKS.delete().where(_MARKS.c.name == "outlier_model"))

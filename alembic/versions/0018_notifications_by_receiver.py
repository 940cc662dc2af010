"""A notification has one receiver: each has a row, a state and attempts of its own.

Revision: 0018
Revises: 0017

Safety: one column without a default and another unique constraint on a small table, which SQLite
copies; the job `notify` waits a moment. Rows that wait get their receivers when they are next due;
rows that were sent stay as they are. Going back keeps one row an event: if any receiver still waits
for it, all of them get its mail (again); those who were refused are forgotten.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_ROWS = sa.table(
    "notifications",
    sa.column("id", sa.BigInteger),
    sa.column("alert_id", sa.BigInteger),
    sa.column("event", sa.String),
    sa.column("state", sa.String),
)
_WAITING = ("pending", "sending")


def upgrade() -> None:
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.add_column(sa.Column("recipient", sa.Text(), nullable=True))
        batch_op.drop_constraint(op.f("uq_notifications_alert_id_event"), type_="unique")
        batch_op.create_unique_constraint(
            op.f("uq_notifications_alert_id_event_recipient"), ["alert_id", "event", "recipient"]
        )


def downgrade() -> None:
    _keep_one_row_an_event()
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("uq_notifications_alert_id_event_recipient"), type_="unique")
        batch_op.create_unique_constraint(
            op.f("uq_notifications_alert_id_event"), ["alert_id", "event"]
        )
        batch_op.drop_column("recipient")


def _keep_one_row_an_event() -> None:
    op.execute(_ROWS.delete().where(_ROWS.c.state == "refused"))
    other = _ROWS.alias("other")
    waits = sa.exists().where(
        other.c.alert_id == _ROWS.c.alert_id,
        other.c.event == _ROWS.c.event,
        other.c.state.in_(_WAITING),
    )
    op.execute(_ROWS.update().where(_ROWS.c.state == "sent", waits).values(state="pending"))
    first = sa.select(sa.func.min(_ROWS.c.id)).group_by(_ROWS.c.alert_id, _ROWS.c.event)
    op.execute(_ROWS.delete().where(_ROWS.c.id.not_in(first)))

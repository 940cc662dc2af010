"""Roll-ups, clients, reasons of requests, and an index of outliers alone.

Revision: 0012
Revises: 0011

Safety: makes tables and indexes, and writes the reasons of every record that has any into a table
of their own, with the tables locked: about a minute for ten million records. Nothing that exists is
changed. The job `roll_up` fills the roll-ups afterwards, oldest records first; pages that show more
than an hour are slow until it has caught up, and right all the time. Going back drops what this
makes: counts of records that were pruned are lost then, as a new `roll_up` cannot see them.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.column_types import UtcDateTime

revision = "0012"
down_revision = "0011"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _make_counts()
    op.create_index(
        "ix_scores_outliers",
        "scores",
        ["request_pk", "outlier"],
        sqlite_where=sa.text("outlier = 1"),
        postgresql_where=sa.text("outlier"),
    )
    op.create_index(op.f("ix_alerts_state_id"), "alerts", ["state", "id"])
    if op.get_bind().dialect.name == "sqlite":
        _make_reasons()
        values = "json_each(r.reasons) e"
    else:
        _make_partitioned_reasons()
        values = "json_array_elements_text(r.reasons) e(value)"
    op.execute(
        "INSERT INTO request_reasons (request_pk, reason) "  # noqa: S608 - two texts from here
        f"SELECT DISTINCT r.id, e.value FROM requests r, {values}"
    )
    op.create_index(
        op.f("ix_request_reasons_reason_request_pk"), "request_reasons", ["reason", "request_pk"]
    )


def downgrade() -> None:
    op.drop_table("request_reasons")
    op.drop_index(op.f("ix_alerts_state_id"), table_name="alerts")
    op.drop_index("ix_scores_outliers", table_name="scores")
    op.execute("DELETE FROM sequences WHERE name <> 'requests'")
    op.drop_table("clients")
    op.drop_table("roll_ups")


def _make_counts() -> None:
    op.create_table(
        "roll_ups",
        sa.Column("resolution", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dimension", sa.String(length=8), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            *("resolution", "dimension", "start", "name", "verdict"), name=op.f("pk_roll_ups")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "clients",
        sa.Column("client", sa.String(length=80), nullable=False),
        sa.Column("first_seen", UtcDateTime(), nullable=False),
        sa.Column("last_seen", UtcDateTime(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("bad", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("client", name=op.f("pk_clients")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_clients_last_seen_client"), "clients", ["last_seen", "client"])


def _make_reasons() -> None:
    op.create_table(
        "request_reasons",
        sa.Column("request_pk", _BIG_ID, autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("request_pk", "reason", name=op.f("pk_request_reasons")),
        sqlite_with_rowid=False,
    )


def _make_partitioned_reasons() -> None:
    op.execute(
        "CREATE TABLE request_reasons (request_pk bigint NOT NULL, reason varchar(64) NOT NULL, "
        "CONSTRAINT pk_request_reasons PRIMARY KEY (request_pk, reason)) "
        "PARTITION BY RANGE (request_pk)"
    )
    op.execute(
        "CREATE TABLE maskwatch_days.request_reasons_rest PARTITION OF request_reasons DEFAULT"
    )
    # Each day that has partitions gets the one that it lacks.
    op.execute(
        "SELECT maskwatch_make_day(to_date(right(relname, 8), 'YYYYMMDD')) FROM pg_class "
        "WHERE relnamespace = 'maskwatch_days'::regnamespace AND relkind = 'r' "
        "AND relname ~ '^requests_[0-9]{8}$'"
    )

"""Scopes of decisions, proposals, and scenarios that a person turned on.

Revision: 0024
Revises: 0023

Safety: adds columns without a default, so that neither database rewrites the table, an index of
decisions, of which there are few, and two empty tables. Decisions about keys get
a scope of their own: one statement on as many rows as there are. Going back drops all of it, and
ends decisions of scopes that the version before does not know.
"""

from ipaddress import ip_network

import sqlalchemy as sa
from alembic import op

from store.tables.column_types import UtcDateTime

revision = "0024"
down_revision = "0023"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DECISIONS = sa.table(
    "decisions",
    *(sa.column(name, sa.String) for name in ("scope", "value", "revoked_by", "revoked_reason")),
    sa.column("until", UtcDateTime()),
    sa.column("created_at", UtcDateTime()),
    sa.column("revoked_at", UtcDateTime()),
)
_OF_A_KEY = _DECISIONS.c.value.like("key:%")


def upgrade() -> None:
    # Not in a batch: SQLite adds the columns in place.
    op.add_column("decisions", sa.Column("family", sa.String(36), nullable=True))
    op.add_column("decisions", sa.Column("model_digest", sa.String(64), nullable=True))
    op.add_column("decisions", sa.Column("version", sa.BigInteger(), nullable=True))
    op.create_index("ix_decisions_version", "decisions", ["version"])
    _make_proposals()
    op.create_table(
        "scenarios",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("enabled_at", UtcDateTime(), nullable=False),
        sa.Column("enabled_by", sa.String(80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_scenarios"),
    )
    is_client = _DECISIONS.c.scope == "client"
    op.execute(_DECISIONS.update().where(is_client, _OF_A_KEY).values(scope="api_key"))
    _widen_addresses()


def downgrade() -> None:
    is_key = _DECISIONS.c.scope == "api_key"
    op.execute(_DECISIONS.update().where(is_key).values(scope="client"))
    unknown = _DECISIONS.c.scope.in_(("cidr", "similar"))
    op.execute(
        _DECISIONS.update()
        .where(unknown)
        .values(
            scope="client",
            revoked_at=sa.func.coalesce(_DECISIONS.c.revoked_at, _DECISIONS.c.created_at),
            revoked_by=sa.func.coalesce(_DECISIONS.c.revoked_by, "migration"),
            revoked_reason=sa.func.coalesce(_DECISIONS.c.revoked_reason, "Its scope is not known."),
        )
    )
    op.drop_table("scenarios")
    op.drop_table("proposals")
    op.drop_index("ix_decisions_version", "decisions")
    for name in ("version", "model_digest", "family"):
        op.drop_column("decisions", name)


def _widen_addresses() -> None:
    """Whoever has one address of IPv6 has the whole /64: decisions are about that from now on."""
    is_ipv6 = sa.and_(_DECISIONS.c.scope == "client", _DECISIONS.c.value.like("ip:%:%:%"))
    values = op.get_bind().scalars(sa.select(_DECISIONS.c.value).where(is_ipv6).distinct()).all()
    for value in values:
        same = sa.and_(_DECISIONS.c.scope == "client", _DECISIONS.c.value == value)
        try:
            network = ip_network((value.removeprefix("ip:"), 64), strict=False)
        except ValueError:
            # Something else that began with "ip:"; it never matched an address.
            continue
        op.execute(_DECISIONS.update().where(same).values(value=f"ip:{network}"))


def _make_proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("value", sa.String(80), nullable=False),
        sa.Column("scenario", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("model_digest", sa.String(64), nullable=True),
        sa.Column("limit_reached", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("answered_by", sa.String(80), nullable=True),
        sa.Column("answer", sa.String(8), nullable=True),
        sa.Column("answer_reason", sa.Text(), nullable=True),
        sa.Column("decision_id", _BIG_ID, nullable=True),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name="fk_proposals_decision_id"),
        sa.PrimaryKeyConstraint("id", name="pk_proposals"),
    )
    op.create_index(
        "ix_proposals_scope_value_expires_at", "proposals", ["scope", "value", "expires_at"]
    )
    op.create_index("ix_proposals_expires_at", "proposals", ["expires_at"])

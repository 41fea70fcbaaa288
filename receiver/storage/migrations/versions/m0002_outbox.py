"""The outbox, with a message for the latest revision of every order that was received before there was one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from receiver.storage.columns import JsonValue, UtcInstant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the outbox and append each order's latest revision to it."""
    op.create_table(
        "outbox",
        sa.Column("id", _RowId, nullable=False),
        sa.Column("destination", sa.String(10), nullable=False, comment="erp, norce"),
        sa.Column("kind", sa.String(30), nullable=False, comment="order, or what a report says"),
        sa.Column("key", sa.String(200), comment="a report's own; an order is its own key"),
        sa.Column("digest", sa.String(64), comment="SHA-256 of a report's kind and content"),
        sa.Column("order_id", _RowId, nullable=False),
        sa.Column("revision", sa.Integer, comment="of the order that is handed over"),
        sa.Column("payload_version", sa.Integer, nullable=False),
        sa.Column("payload", JsonValue, comment="a report; an order's content is in order_payloads"),
        sa.Column("is_repeatable", sa.Boolean, nullable=False, comment="false for what moves money"),
        sa.Column("state", sa.String(10), nullable=False, comment="pending, leased, delivered, dead, discarded"),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", UtcInstant, nullable=False),
        sa.Column("lease_token", sa.String(32)),
        sa.Column("leased_until", UtcInstant),
        sa.Column("created_at", UtcInstant, nullable=False),
        sa.Column("finished_at", UtcInstant),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_outbox_order_id"),
    )
    _index("uq_outbox_key", ["destination", "key"], where="key IS NOT NULL", unique=True)
    _index("ix_outbox_due", ["destination", "due_at", "id"], where="state = 'pending'")
    _index("uq_outbox_leased_order", ["order_id"], where="state = 'leased'", unique=True)
    _index("ix_outbox_dead", ["id"], where="state = 'dead'")
    op.create_index("ix_outbox_order_id", "outbox", ["order_id"])
    _index("ix_orders_erp_order_no", ["erp_order_no"], table="orders", where="erp_order_no IS NOT NULL")
    op.create_table(
        "outbox_attempts",
        sa.Column("id", _RowId, nullable=False),
        sa.Column("message_id", _RowId, nullable=False),
        sa.Column("happened_at", UtcInstant, nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False, comment="a verdict, lease_lost, requeued or discarded"),
        sa.Column("detail", sa.Text, comment="a cause or a reason, no personal data"),
        sa.Column("milliseconds", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_attempts"),
        sa.ForeignKeyConstraint(["message_id"], ["outbox.id"], name="fk_outbox_attempts_message_id"),
    )
    op.create_index("ix_outbox_attempts_message_id", "outbox_attempts", ["message_id"])
    op.execute(
        "INSERT INTO outbox (destination, kind, order_id, revision, payload_version, is_repeatable, state, attempts,"
        " due_at, created_at)"
        " SELECT 'erp', 'order', id, revision, 1, true, 'pending', 0, received_at, received_at FROM orders ORDER BY id"
    )


def _index(name: str, columns: list[str], *, where: str, table: str = "outbox", unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, postgresql_where=condition, sqlite_where=condition)

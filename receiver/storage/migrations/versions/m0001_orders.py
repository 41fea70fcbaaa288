"""Orders, their lines, payloads and history, and refused receipts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from receiver.storage.columns import ExactDecimal, JsonValue, UtcInstant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "orders",
        sa.Column("id", _RowId, nullable=False),
        sa.Column("application_key", sa.String(36), nullable=False),
        sa.Column("client_order_ref", sa.String(50), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False, comment="the latest; 1 is the order as first received"),
        sa.Column("state", sa.String(20), nullable=False, comment="received, handed_over, confirmed"),
        sa.Column("erp_order_no", sa.String(50), comment="the ERP's number, once the ERP has reported it"),
        sa.Column("suggested_erp_order_no", sa.Text, comment="what Norce would like the ERP to use"),
        sa.Column("customer_order_ref", sa.Text),
        sa.Column("order_type", sa.String(50)),
        sa.Column("source", sa.Text),
        sa.Column("buyer_code", sa.Text),
        sa.Column("currency_code", sa.Text),
        sa.Column("lines_total", ExactDecimal, nullable=False, comment="excluding VAT"),
        sa.Column("vat_total", ExactDecimal, nullable=False),
        sa.Column("paid_total", ExactDecimal, nullable=False, comment="sum of the payments, including VAT"),
        sa.Column("submitted_at", UtcInstant, comment="in UTC; a time without zone is read in the sender's zone"),
        sa.Column("submitted_text", sa.Text, comment="as the sender wrote it, to 100 ns"),
        sa.Column("received_at", UtcInstant, nullable=False, comment="of the first revision"),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.CheckConstraint("revision >= 1", name="revision_counts_from_one"),
    )
    op.create_index("uq_orders_key", "orders", ["client_order_ref", "application_key"], unique=True)
    op.create_index("ix_orders_received_at", "orders", ["received_at"])
    op.create_table(
        "order_lines",
        sa.Column("order_id", _RowId, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("line_no", sa.Integer),
        sa.Column("parent_line_no", sa.Integer),
        sa.Column("type", sa.Text),
        sa.Column("type_group", sa.Text),
        sa.Column("part_no", sa.Text),
        sa.Column("erp_part_no", sa.Text),
        sa.Column("manufacturer_code", sa.Text),
        sa.Column("description", sa.Text),
        sa.Column("quantity", ExactDecimal, comment="Quantity2 where given, else Quantity"),
        sa.Column("unit_of_measure", sa.Text),
        sa.Column("unit_price", ExactDecimal, comment="one item, after discounts, excluding VAT"),
        sa.Column("unit_price_original", ExactDecimal),
        sa.Column("discount", ExactDecimal, comment="already taken off unit_price"),
        sa.Column("unit_vat", ExactDecimal, comment="VAT of one item"),
        sa.Column("vat_rate", ExactDecimal, comment="percent"),
        sa.Column("comment", sa.Text),
        sa.PrimaryKeyConstraint("order_id", "revision", "position", name="pk_order_lines"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_lines_order_id"),
    )
    op.create_table(
        "order_payloads",
        sa.Column("order_id", _RowId, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False, comment="SHA-256 of the body as received"),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False, comment="the request body as received, zlib"),
        sa.Column("received_at", UtcInstant, nullable=False),
        sa.PrimaryKeyConstraint("order_id", "revision", name="pk_order_payloads"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_payloads_order_id"),
    )
    op.create_table(
        "order_history",
        sa.Column("id", _RowId, nullable=False),
        sa.Column("order_id", _RowId, nullable=False),
        sa.Column("happened_at", UtcInstant, nullable=False),
        sa.Column("event", sa.String(30), nullable=False, comment="received, repeated, revised"),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("detail", JsonValue, comment="numbers and references only, no personal data"),
        sa.PrimaryKeyConstraint("id", name="pk_order_history"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_history_order_id"),
    )
    op.create_index("ix_order_history_order_id", "order_history", ["order_id"])
    op.create_table(
        "refused_receipts",
        sa.Column("id", _RowId, nullable=False),
        sa.Column(
            "kind",
            sa.String(10),
            nullable=False,
            comment="order: answered Failed; request: answered with a fault",
        ),
        sa.Column("client_order_ref", sa.Text),
        sa.Column("reasons", JsonValue, nullable=False),
        sa.Column("received_from", sa.Text),
        sa.Column("first_at", UtcInstant, nullable=False),
        sa.Column("last_at", UtcInstant, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("media_type", sa.Text),
        sa.Column("digest", sa.String(64), nullable=False, comment="SHA-256 of the body as received"),
        sa.Column("payload", sa.LargeBinary, nullable=False, comment="the request body as received, zlib"),
        sa.PrimaryKeyConstraint("id", name="pk_refused_receipts"),
    )
    op.create_index("uq_refused_receipts_digest", "refused_receipts", ["digest"], unique=True)
    op.create_index("ix_refused_receipts_last_at", "refused_receipts", ["last_at"])

"""When the personal data of an order or a refused request was erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from receiver.storage.columns import UtcInstant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column to both tables."""
    for table in ("orders", "refused_receipts"):
        op.add_column(table, sa.Column("erased_at", UtcInstant, comment="when its personal data was erased"))
    if op.get_bind().dialect.name == "postgresql":
        payload = "the request body as received; packing.py; empty: erased"
        op.alter_column("order_payloads", "payload", comment=payload)
        op.alter_column("refused_receipts", "payload", comment=payload)
        op.alter_column("order_history", "event", comment="received, repeated, revised, erased")

"""The tables. Migrations build the same ones; a test compares the two, so change both.

An order's row shows its latest revision. Lines and payloads are kept for every revision, and nothing is ever deleted
or overwritten but that row and the state of messages, so each revision can be told from its payload. Erasing personal
data is the exception: rows stay, what is personal in them goes.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from receiver.storage.columns import ExactDecimal, JsonValue, UtcInstant

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite numbers its rows by itself only where the key is INTEGER.
RowId = BigInteger().with_variant(Integer(), "sqlite")

_IS_NUMBERED = text("erp_order_no IS NOT NULL")

orders = Table(
    "orders",
    metadata,
    Column("id", RowId, primary_key=True),
    # The zero GUID stands for a missing key: NULLs would not collide in the unique index.
    Column("application_key", String(36), nullable=False),
    Column("client_order_ref", String(50), nullable=False),
    Column("revision", Integer, nullable=False, comment="the latest; 1 is the order as first received"),
    Column("state", String(20), nullable=False, comment="received, handed_over, confirmed"),
    Column("erp_order_no", String(50), comment="the ERP's number, once the ERP has reported it"),
    Column("suggested_erp_order_no", Text, comment="what Norce would like the ERP to use"),
    Column("customer_order_ref", Text),
    Column("order_type", String(50)),
    Column("source", Text),
    Column("buyer_code", Text),
    Column("currency_code", Text),
    Column("lines_total", ExactDecimal, nullable=False, comment="excluding VAT"),
    Column("vat_total", ExactDecimal, nullable=False),
    Column("paid_total", ExactDecimal, nullable=False, comment="sum of the payments, including VAT"),
    Column("submitted_at", UtcInstant, comment="in UTC; a time without zone is read in the sender's zone"),
    Column("submitted_text", Text, comment="as the sender wrote it, to 100 ns"),
    Column("received_at", UtcInstant, nullable=False, comment="of the first revision"),
    Column("erased_at", UtcInstant, comment="when its personal data was erased"),
    # Says whether two orders are the same one: Norce's reference is unique within an application only.
    # The reference comes first, because people look for orders by it alone.
    Index("uq_orders_key", "client_order_ref", "application_key", unique=True),
    Index("ix_orders_received_at", "received_at"),
    # Reports may name an order by the ERP's number alone.
    Index("ix_orders_erp_order_no", "erp_order_no", postgresql_where=_IS_NUMBERED, sqlite_where=_IS_NUMBERED),
    CheckConstraint("revision >= 1", name="revision_counts_from_one"),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("order_id", RowId, ForeignKey("orders.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    # The place in the document: a sender may leave out line numbers, and then only this tells lines apart.
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("line_no", Integer),
    Column("parent_line_no", Integer),
    Column("type", Text),
    Column("type_group", Text),
    Column("part_no", Text),
    Column("erp_part_no", Text),
    Column("manufacturer_code", Text),
    Column("description", Text),
    Column("quantity", ExactDecimal, comment="Quantity2 where given, else Quantity"),
    Column("unit_of_measure", Text),
    Column("unit_price", ExactDecimal, comment="one item, after discounts, excluding VAT"),
    Column("unit_price_original", ExactDecimal),
    Column("discount", ExactDecimal, comment="already taken off unit_price"),
    Column("unit_vat", ExactDecimal, comment="VAT of one item"),
    Column("vat_rate", ExactDecimal, comment="percent"),
    Column("comment", Text),
)

order_payloads = Table(
    "order_payloads",
    metadata,
    Column("order_id", RowId, ForeignKey("orders.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("fingerprint", String(64), nullable=False, comment="SHA-256 of the body as received"),
    Column("media_type", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False, comment="the request body as received; packing.py; empty: erased"),
    Column("received_at", UtcInstant, nullable=False),
)

order_history = Table(
    "order_history",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("order_id", RowId, ForeignKey("orders.id"), nullable=False),
    Column("happened_at", UtcInstant, nullable=False),
    Column("event", String(30), nullable=False, comment="received, repeated, revised, erased"),
    Column("revision", Integer, nullable=False),
    Column("detail", JsonValue, comment="numbers and references only, no personal data"),
    Index("ix_order_history_order_id", "order_id"),
)

refused_receipts = Table(
    "refused_receipts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("kind", String(10), nullable=False, comment="order: answered Failed; request: answered with a fault"),
    Column("client_order_ref", Text),
    Column("reasons", JsonValue, nullable=False),
    Column("received_from", Text),
    Column("first_at", UtcInstant, nullable=False),
    Column("last_at", UtcInstant, nullable=False),
    Column("times", Integer, nullable=False),
    Column("media_type", Text),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the body as received"),
    Column("payload", LargeBinary, nullable=False, comment="the request body as received; packing.py; empty: erased"),
    Column("erased_at", UtcInstant, comment="when its personal data was erased"),
    # The sender repeats a refused order for hours: one row counts the times instead of keeping copies.
    Index("uq_refused_receipts_digest", "digest", unique=True),
    Index("ix_refused_receipts_last_at", "last_at"),
)

_IS_PENDING = text("state = 'pending'")
_IS_LEASED = text("state = 'leased'")
_IS_DEAD = text("state = 'dead'")
_HAS_KEY = text("key IS NOT NULL")

outbox = Table(
    "outbox",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("destination", String(10), nullable=False, comment="erp, norce"),
    Column("kind", String(30), nullable=False, comment="order, or what a report says"),
    Column("key", String(200), comment="a report's own; an order is its own key"),
    Column("digest", String(64), comment="SHA-256 of a report's kind and content"),
    Column("order_id", RowId, ForeignKey("orders.id"), nullable=False),
    Column("revision", Integer, comment="of the order that is handed over"),
    Column("payload_version", Integer, nullable=False),
    Column("payload", JsonValue, comment="a report; an order's content is in order_payloads"),
    Column("is_repeatable", Boolean, nullable=False, comment="false for what moves money"),
    Column("state", String(10), nullable=False, comment="pending, leased, delivered, dead, discarded"),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcInstant, nullable=False),
    Column("lease_token", String(32)),
    Column("leased_until", UtcInstant),
    Column("created_at", UtcInstant, nullable=False),
    Column("finished_at", UtcInstant),
    # The same report twice is one message; of an order's revisions the order itself sees to that.
    Index(
        "uq_outbox_key",
        "destination",
        "key",
        unique=True,
        postgresql_where=_HAS_KEY,
        sqlite_where=_HAS_KEY,
    ),
    # What a relay looks for; millions of delivered messages are not in it.
    Index(
        "ix_outbox_due",
        "destination",
        "due_at",
        "id",
        postgresql_where=_IS_PENDING,
        sqlite_where=_IS_PENDING,
    ),
    # An order's messages must not overtake each other: two relays can never hold one each.
    Index(
        "uq_outbox_leased_order",
        "order_id",
        unique=True,
        postgresql_where=_IS_LEASED,
        sqlite_where=_IS_LEASED,
    ),
    Index("ix_outbox_dead", "id", postgresql_where=_IS_DEAD, sqlite_where=_IS_DEAD),
    Index("ix_outbox_order_id", "order_id"),
)

outbox_attempts = Table(
    "outbox_attempts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("message_id", RowId, ForeignKey("outbox.id"), nullable=False),
    Column("happened_at", UtcInstant, nullable=False),
    Column("outcome", String(20), nullable=False, comment="a verdict, lease_lost, requeued or discarded"),
    Column("detail", Text, comment="a cause or a reason, no personal data"),
    Column("milliseconds", Integer),
    Index("ix_outbox_attempts_message_id", "message_id"),
)

"""The outbox on a database: appended with what it is about, claimed under a lease, and kept after delivery.

Times are the database's own where it has a clock, because relays on several machines must agree on when a lease ends.
Which messages may be claimed is decided by one query; the unique index on leased orders holds even if that is wrong.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, and_, exc, exists, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from receiver.errors import ReportConflict
from receiver.outbox.message import PAYLOAD_VERSION, UNFINISHED, Kind, Message, State, Verdict
from receiver.outbox.retry import Step
from receiver.ports import Appended, Claim, DecodeOrder, Delivery, HandOver, Report, Wanted
from receiver.storage import outbox_moves
from receiver.storage.outbox_moves import now_of
from receiver.storage.packing import Packing, packing_of
from receiver.storage.rows import CONFIRMED
from receiver.storage.tables import order_payloads, orders, outbox

_NOTHING = Claim("", ())


def append(connection: Connection, values: Mapping[str, object]) -> None:
    """Append a message that has no key, due at once."""
    now = now_of(connection)
    connection.execute(insert(outbox), {**values, "due_at": now, "created_at": now})


class OutboxStore:
    """Implements `ports.Outbox` within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.has_appended = False

    def append_report(self, report: Report) -> Appended:
        """Insert first and let the key decide; the order's row is locked, so its messages are numbered in turn."""
        self._connection.execute(select(orders.c.id).where(orders.c.id == report.order_id).with_for_update())
        now = now_of(self._connection)
        values = {
            "destination": report.kind.destination.value,
            "kind": report.kind.value,
            "key": report.key,
            "digest": report.digest,
            "order_id": report.order_id,
            "payload_version": PAYLOAD_VERSION,
            "payload": report.payload,
            "is_repeatable": report.kind.is_repeatable,
            "state": State.PENDING.value,
            "attempts": 0,
            "due_at": now,
            "created_at": now,
        }
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(outbox).values(values).on_conflict_do_nothing().returning(outbox.c.id)
        message_id = self._connection.execute(statement).scalar_one_or_none()
        if message_id is None:
            return self._appended_before(report)
        self.has_appended = True
        if report.erp_order_no is not None:
            confirmed = {"erp_order_no": report.erp_order_no, "state": CONFIRMED}
            self._connection.execute(update(orders).where(orders.c.id == report.order_id).values(confirmed))
        return Appended(message_id, State.PENDING, is_repeat=False)

    def claim(self, what: Wanted, *, lease_seconds: float, decode: DecodeOrder) -> Claim:
        """Find what is due, and lease one message of each order."""
        now = now_of(self._connection)
        found = self._connection.execute(due_messages(what, now)).all()
        if not found:
            return _NOTHING
        ids = [row.id for row in _one_of_each_order(found)]
        return self._leased_unless_taken(ids, now + timedelta(seconds=lease_seconds), decode)

    def record(self, claim: Claim, verdicts: Sequence[Verdict], *, milliseconds: int) -> list[Step]:
        """Move each message on, unless its lease was lost meanwhile: then another relay has it."""
        return outbox_moves.record(self._connection, claim, verdicts, milliseconds=milliseconds)

    def recover_lost_leases(self) -> int:
        """Take back messages whose lease has ended; what may have moved money goes to the dead letters."""
        return outbox_moves.recover_lost_leases(self._connection)

    def _appended_before(self, report: Report) -> Appended:
        row = self._connection.execute(
            select(outbox.c.id, outbox.c.digest, outbox.c.state)
            .where(outbox.c.destination == report.kind.destination.value)
            .where(outbox.c.key == report.key)
        ).one()
        if row.digest != report.digest:
            raise ReportConflict(f"message {row.id} has this key and says something else")
        if report.erp_order_no is not None:
            # Revised after it was confirmed, and confirmed again under the number that Norce has been told.
            same = (orders.c.id == report.order_id, orders.c.erp_order_no == report.erp_order_no)
            self._connection.execute(update(orders).where(*same).values(state=CONFIRMED))
        return Appended(row.id, State(row.state), is_repeat=True)

    def _leased_unless_taken(self, ids: list[int], until: datetime, decode: DecodeOrder) -> Claim:
        """Two relays may find two messages of one order at the same moment; the index lets only one have its way."""
        try:
            return self._leased(ids, until, decode)
        except exc.IntegrityError:
            self._connection.rollback()
            return _NOTHING

    def _leased(self, ids: list[int], until: datetime, decode: DecodeOrder) -> Claim:
        token = uuid.uuid4().hex
        lease = {"state": State.LEASED.value, "lease_token": token, "leased_until": until}
        self._connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(lease))
        rows = self._connection.execute(_claimed(ids)).all()
        packing = packing_of(self._connection)
        return Claim(token, tuple(_delivery(row, decode, packing) for row in rows))


def _delivery(row: Row[Any], decode: DecodeOrder, packing: Packing) -> Delivery:
    message = Message(
        message_id=row.id,
        kind=Kind(row.kind),
        key=row.key,
        order_id=row.order_id,
        client_order_ref=row.client_order_ref,
        application_key=UUID(row.application_key),
        revision=row.revision,
        payload_version=row.payload_version,
        payload=row.report,
        attempts=row.attempts,
        created_at=row.created_at,
    )
    if row.packed is None:
        return Delivery(message, None)
    packed, media_type = row.packed, row.media_type

    def body() -> bytes:
        return packing.unpack(packed)

    return Delivery(message, HandOver(body, lambda: decode(body(), media_type)))


def due_messages(what: Wanted, now: datetime) -> Select[Any]:
    """The first unfinished message of each order, if it is due and no other message of that order is out."""
    other = outbox.alias("other")
    earlier = exists().where(
        other.c.order_id == outbox.c.order_id,
        other.c.destination == outbox.c.destination,
        other.c.state.in_([state.value for state in UNFINISHED]),
        other.c.id < outbox.c.id,
    )
    out = exists().where(other.c.order_id == outbox.c.order_id, other.c.state == State.LEASED.value)
    return (
        select(outbox.c.id, outbox.c.order_id)
        .where(outbox.c.state == State.PENDING.value, outbox.c.destination == what.destination.value)
        .where(outbox.c.due_at <= now, outbox.c.is_repeatable == what.is_repeatable)
        .where(~earlier, ~out)
        .order_by(outbox.c.due_at, outbox.c.id)
        .limit(what.limit)
        .with_for_update(skip_locked=True, of=outbox)
    )


def _one_of_each_order(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    return list({row.order_id: row for row in reversed(rows)}.values())[::-1]


def _claimed(ids: list[int]) -> Select[Any]:
    revision = and_(order_payloads.c.order_id == outbox.c.order_id, order_payloads.c.revision == outbox.c.revision)
    return (
        select(
            *(outbox.c[name] for name in ("id", "kind", "key", "order_id", "revision", "payload_version")),
            *(outbox.c.attempts, outbox.c.created_at, outbox.c.payload.label("report")),
            *(orders.c.client_order_ref, orders.c.application_key),
            *(order_payloads.c.payload.label("packed"), order_payloads.c.media_type),
        )
        .join(orders, orders.c.id == outbox.c.order_id)
        .outerjoin(order_payloads, revision)
        .where(outbox.c.id.in_(ids))
        .order_by(outbox.c.id)
    )

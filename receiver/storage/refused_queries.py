"""Refused receipts as people look at them: what was turned away, why, how often, and the body it came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, Row, Select, select

from receiver.storage.engine import READ_ONLY
from receiver.storage.packing import packing_of
from receiver.storage.tables import refused_receipts
from receiver.storage.unit_of_work import reading


@dataclass(frozen=True, slots=True)
class RefusedSummary:
    """One body that was refused, `times` times; `kind` is order (answered Failed) or request (answered a fault)."""

    receipt_id: int
    kind: str
    client_order_ref: str | None
    reasons: tuple[str, ...]
    received_from: str | None
    first_at: datetime
    last_at: datetime
    times: int
    media_type: str | None
    digest: str
    erased_at: datetime | None


class RefusedQueries:
    """Questions about refused receipts; each raises TryAgainLater when the database cannot answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**READ_ONLY)

    def newest(self, *, limit: int, since: datetime | None = None) -> list[RefusedSummary]:
        """At most `limit` receipts, the last refused first; `since` is the first instant that counts."""
        query = _summaries().order_by(refused_receipts.c.last_at.desc(), refused_receipts.c.id.desc()).limit(limit)
        if since is not None:
            query = query.where(refused_receipts.c.last_at >= since)
        with reading(self._engine) as connection:
            return [_summary(row) for row in connection.execute(query)]

    def find(self, receipt_id: int) -> RefusedSummary | None:
        """The receipt, or None where there is none with this number."""
        with reading(self._engine) as connection:
            row = connection.execute(_summaries().where(refused_receipts.c.id == receipt_id)).one_or_none()
        return None if row is None else _summary(row)

    def payload(self, receipt_id: int) -> bytes | None:
        """The request body, byte for byte as received."""
        query = select(refused_receipts.c.payload).where(refused_receipts.c.id == receipt_id)
        with reading(self._engine) as connection:
            packed = connection.execute(query).scalar_one_or_none()
        return None if packed is None else packing_of(self._engine).unpack(packed)


def _summaries() -> Select[tuple[object, ...]]:
    columns = (column for column in refused_receipts.c if column.name not in {"id", "payload"})
    return select(refused_receipts.c.id.label("receipt_id"), *columns)


def _summary(row: Row[tuple[object, ...]]) -> RefusedSummary:
    values = dict(row._mapping)
    return RefusedSummary(**values | {"reasons": tuple(row.reasons)})

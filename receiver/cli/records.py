"""Opens the database for the commands that look at what was received."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from receiver import logs
from receiver.bootstrap import engine_for
from receiver.cli.output import CommandFailed
from receiver.settings import Settings
from receiver.storage.engine import READ_ONLY
from receiver.storage.migrate import require_current_schema
from receiver.storage.order_queries import OrderQueries
from receiver.storage.refused_queries import RefusedQueries


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that is kept, to be read."""

    orders: OrderQueries
    refused: RefusedQueries


@contextmanager
def open_records(settings: Settings) -> Iterator[Records]:
    """The records of the configured database.

    Raises CommandFailed where an SQLite file does not exist (opening it would make an empty one), SchemaOutdated where
    the tables are not this release's, TryAgainLater where the database is away.
    """
    logs.configure(as_text=True)
    engine = engine_for(settings)
    file = engine.url.database or ""
    if engine.dialect.name == "sqlite" and not file.startswith("file:") and not Path(file).exists():
        raise CommandFailed(f"there is no database {file} yet; it is made by: receiver serve (or: receiver migrate)")
    try:
        require_current_schema(engine.execution_options(**READ_ONLY))
        yield Records(OrderQueries(engine), RefusedQueries(engine))
    finally:
        engine.dispose()

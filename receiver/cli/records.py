"""Opens the database for the commands that look at what was received, and for those that put something into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from receiver import logs
from receiver.bootstrap import engine_for
from receiver.cli.output import CommandFailed
from receiver.settings import Settings
from receiver.storage.engine import READ_ONLY, Engine
from receiver.storage.kept_data import KeptDataQueries
from receiver.storage.migrate import require_current_schema
from receiver.storage.order_queries import OrderQueries
from receiver.storage.outbox_queries import OutboxQueries
from receiver.storage.refused_queries import RefusedQueries
from receiver.storage.rekeying import Rekeying
from receiver.storage.story_queries import StoryQueries
from receiver.storage.unit_of_work import SqlUnits


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that is kept, to be read."""

    orders: OrderQueries
    outbox: OutboxQueries
    refused: RefusedQueries
    stories: StoryQueries


@contextmanager
def open_records(settings: Settings) -> Iterator[Records]:
    """The records of the configured database; raises what `open_units` raises."""
    with _opened(settings) as engine:
        yield Records(OrderQueries(engine), OutboxQueries(engine), RefusedQueries(engine), StoryQueries(engine))


@contextmanager
def open_units(settings: Settings) -> Iterator[SqlUnits]:
    """Units on the configured database, for commands that change something.

    Raises CommandFailed where an SQLite file does not exist (opening it would make an empty one), SchemaOutdated where
    the tables are not this release's, TryAgainLater where the database is away.
    """
    with _opened(settings) as engine:
        yield SqlUnits(engine, sender_zone=settings.sender_time_zone)


@contextmanager
def open_kept_data(settings: Settings) -> Iterator[tuple[KeptDataQueries, SqlUnits]]:
    """What still holds personal data, and units to erase it; raises what `open_units` raises."""
    with _opened(settings) as engine:
        yield KeptDataQueries(engine), SqlUnits(engine, sender_zone=settings.sender_time_zone)


@contextmanager
def open_rekeying(settings: Settings) -> Iterator[Rekeying]:
    """What stores requests anew; raises what `open_units` raises."""
    with _opened(settings) as engine:
        yield Rekeying(engine)


@contextmanager
def _opened(settings: Settings) -> Iterator[Engine]:
    logs.configure(as_text=True)
    engine = engine_for(settings)
    file = engine.url.database or ""
    if engine.dialect.name == "sqlite" and not file.startswith("file:") and not Path(file).exists():
        raise CommandFailed(f"there is no database {file} yet; it is made by: receiver serve (or: receiver migrate)")
    try:
        require_current_schema(engine.execution_options(**READ_ONLY))
        yield engine
    finally:
        engine.dispose()

"""Brings a database to the schema of this release, and tells whether it is there.

Configured in code: there is no alembic.ini. On PostgreSQL an advisory lock keeps two migrating processes apart, and a
lock timeout keeps a step from blocking orders behind a long query.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from receiver.errors import SchemaOutdated, SettingsInvalid
from receiver.storage.unit_of_work import database_trouble

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 8_402_113_774_029_911
"""Any number, as long as nothing else in the database locks on it."""


def migrate(engine: Engine) -> tuple[str | None, str]:
    """Apply all missing steps; returns the revision before and after.

    Each step has its own transaction on PostgreSQL; on SQLite all share one, which keeps others out from the first
    look at the revision to the last step. Raises TryAgainLater when the database or a lock in it is not free.
    """
    with database_trouble(), engine.connect() as connection, _alone(connection):
        before = _current(connection)
        if connection.dialect.name == "postgresql":
            connection.rollback()  # Alembic begins a transaction for each step only where none is open.
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return before, _head()


def require_current_schema(engine: Engine) -> None:
    """Raise SchemaOutdated, with the command that mends it, unless the database is at this release's schema."""
    with database_trouble(), engine.connect() as connection:
        current = _current(connection)
    head = _head()
    if current == head:
        return
    raise SchemaOutdated(
        f"the database is at schema {current or 'none'}, this release needs {head}; run: receiver migrate"
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _head() -> str:
    return str(_scripts().get_current_head())


def _current(connection: Connection) -> str | None:
    """The database's revision; raises SchemaOutdated where this release does not know it."""
    if connection.dialect.name == "postgresql" and connection.scalar(text("SHOW server_encoding")) != "UTF8":
        raise SettingsInvalid(
            ["RECEIVER_DATABASE_URL: the database does not keep UTF-8; create it with ENCODING 'UTF8'"]
        )
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in {step.revision for step in _scripts().walk_revisions()}:
        raise SchemaOutdated(
            f"the database is at schema {current}, which this release (schema {_head()}) does not know: "
            "it was migrated by a newer release; run that one"
        )
    return current


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    if connection.dialect.name != "postgresql":
        with connection.begin():
            yield
        return
    connection.execute(text("SET statement_timeout = 0"))
    connection.execute(text("SET lock_timeout = '60s'"))
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
        connection.commit()

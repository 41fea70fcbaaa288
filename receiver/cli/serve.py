"""Running the receiver: `serve`, the `migrate` that comes before it, and `settings` that describes both."""

from __future__ import annotations

import os
import sys

from rich.console import Console
from rich.table import Table

from receiver import logs
from receiver.bootstrap import engine_for
from receiver.settings import Settings, described, read_settings
from receiver.storage.migrate import migrate, require_current_schema

_GUNICORN = ["-m", "gunicorn", "--config", "python:receiver.gunicorn_conf", "receiver.wsgi:app"]

_PRIVATE = 0o077
"""A new SQLite file holds personal data and is its owner's alone."""


def serve() -> None:
    """Serve CreateOrder under gunicorn, configured by the environment.

    SQLite is migrated on the way; PostgreSQL must be at the right schema (`receiver migrate`).
    """
    settings = read_settings()
    logs.configure(as_text=settings.log_format == "text")
    prepare_database(settings)
    logs.note(
        logs.RECEIVER_STARTED,
        address=settings.service_address,
        workers=settings.workers,
        threads=settings.threads,
        is_open=settings.allow_anonymous,
    )
    # Becoming gunicorn, rather than starting it, gives signals and exit codes to whoever supervises this process.
    os.execv(sys.executable, [sys.executable, *_GUNICORN])  # noqa: S606 - no shell is wanted


def prepare_database(settings: Settings) -> None:
    """Leave the database at this release's schema, or raise SchemaOutdated or TryAgainLater."""
    os.umask(_PRIVATE)
    engine = engine_for(settings)
    try:
        if engine.dialect.name == "sqlite":
            migrate(engine)
        else:
            require_current_schema(engine)
    finally:
        engine.dispose()


def migrate_database() -> None:
    """Bring the database to the schema of this release."""
    settings = read_settings(needs_credentials=False)
    logs.configure(as_text=True)
    os.umask(_PRIVATE)
    engine = engine_for(settings)
    try:
        before, after = migrate(engine)
    finally:
        engine.dispose()
    change = "was already at" if before == after else f"went from schema {before or 'none'} to"
    Console().print(f"The database {change} schema {after}.")


def show_settings() -> None:
    """List every setting of the environment with its default and meaning."""
    table = Table("Setting", "Default", "Meaning")
    for name, default, meaning in described():
        table.add_row(name, default, meaning)
    Console().print(table)

"""Running the receiver: `serve`, the `migrate` that comes before it, and `settings` that describes both."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from receiver import logs
from receiver.bootstrap import build_relay, engine_for
from receiver.relay_keeper import WITH_RELAY
from receiver.settings import Settings, described, read_settings
from receiver.storage.migrate import migrate, require_current_schema

_GUNICORN = ["-m", "gunicorn", "--config", "python:receiver.gunicorn_conf", "receiver.wsgi:app"]

_PRIVATE = 0o077
"""A new SQLite file holds personal data and is its owner's alone."""


def serve(
    *,
    with_relay: Annotated[
        bool, typer.Option("--with-relay", help="run a relay beside it, for as long as it runs")
    ] = False,
) -> None:
    """Serve CreateOrder under gunicorn, configured by the environment.

    SQLite is migrated on the way; PostgreSQL must be at the right schema (`receiver migrate`). With a relay, one
    command does everything; several machines, or a relay that is restarted alone, run `receiver relay` apart.
    """
    settings = read_settings()
    logs.configure(as_text=settings.log_format == "text")
    if with_relay:
        # Find what is wrong with the ways to the ERP and to Norce now; later only the relay's log would tell.
        build_relay(settings).close()
    prepare_database(settings)
    logs.note(
        logs.RECEIVER_STARTED,
        address=settings.service_address,
        workers=settings.workers,
        threads=settings.threads,
        is_open=settings.allow_anonymous,
        with_relay=with_relay,
    )
    environ = {name: value for name, value in os.environ.items() if name != WITH_RELAY}
    # Becoming gunicorn, rather than starting it, gives signals and exit codes to whoever supervises this process.
    os.execve(  # noqa: S606 - no shell is wanted
        sys.executable, [sys.executable, *_GUNICORN], environ | ({WITH_RELAY: "1"} if with_relay else {})
    )


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

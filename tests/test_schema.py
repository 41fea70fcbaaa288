"""Migrations build exactly the tables that the program uses, on both databases, and nothing runs on others."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text

from receiver.errors import SchemaOutdated, TryAgainLater
from receiver.storage.engine import new_engine
from receiver.storage.migrate import migrate, require_current_schema
from receiver.storage.tables import metadata
from tests.databases import Postgres, migrate_to_head
from tests.servers import CREDENTIALS, run_command


def columns_of(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """What the database itself says about the columns of every table, types as text."""
    found = inspect(engine)
    names = sorted(set(found.get_table_names()) - {"alembic_version"})
    return {name: [dict(each) | {"type": str(each["type"])} for each in found.get_columns(name)] for name in names}


def constraints_of(engine: Engine) -> dict[str, object]:
    """Keys, indexes and checks of every table."""
    found = inspect(engine)
    return {
        name: (
            found.get_pk_constraint(name),
            sorted(found.get_foreign_keys(name), key=str),
            sorted((_plain(index) for index in found.get_indexes(name)), key=str),
            sorted(found.get_unique_constraints(name), key=str),
            sorted(found.get_check_constraints(name), key=str),
        )
        for name in found.get_table_names()
        if name != "alembic_version"
    }


def _plain(index: Any) -> dict[str, Any]:
    """An index with the condition of a partial one as text: clauses are equal to nothing but themselves."""
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": options}


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    """An empty database of the same kind as `database_url`."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'empty.db'}"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.new_database(is_migrated=False)


def test_migrations_build_exactly_the_tables_of_the_program(database_url: str, empty_url: str) -> None:
    migrated, created = create_engine(database_url), create_engine(empty_url)
    metadata.create_all(created)
    assert columns_of(migrated) == columns_of(created)
    assert constraints_of(migrated) == constraints_of(created)
    assert set(columns_of(migrated)) == set(metadata.tables)
    with migrated.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    migrated.dispose()
    created.dispose()


def test_migrating_twice_changes_nothing(empty_url: str) -> None:
    engine = new_engine(empty_url)
    before, head = migrate(engine)
    assert (before, head is not None) == (None, True)
    assert migrate(engine) == (head, head)
    require_current_schema(engine)
    engine.dispose()


def test_two_that_migrate_at_once_do_not_disturb_each_other(empty_url: str) -> None:
    together = threading.Barrier(4)
    failures: list[BaseException] = []

    def run() -> None:
        together.wait(10)
        try:
            with suppress(TryAgainLater):  # SQLite does not wait for others when a new file becomes WAL.
                migrate_to_head(empty_url)
                return
            migrate_to_head(empty_url)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []


def test_an_unmigrated_database_is_refused_with_the_command_that_mends_it(empty_url: str) -> None:
    engine = new_engine(empty_url)
    with pytest.raises(SchemaOutdated, match="run: receiver migrate"):
        require_current_schema(engine)
    engine.dispose()


def test_a_database_of_a_newer_release_is_refused(database_url: str) -> None:
    engine = new_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for check in (require_current_schema, migrate):
        with pytest.raises(SchemaOutdated, match=r"9999.*newer release"):
            check(engine)
    engine.dispose()


def test_serve_does_not_start_on_an_unmigrated_postgresql_until_it_is_migrated(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres.new_database(is_migrated=False)
    settings = {"RECEIVER_DATABASE_URL": url, "COLUMNS": "300", **CREDENTIALS}
    refused = run_command("serve", folder=tmp_path, **settings)
    assert refused.returncode == 1
    assert "receiver migrate" in refused.stderr
    assert "Traceback" not in refused.stderr
    for change in ("went from schema none to", "was already at"):
        done = run_command("migrate", folder=tmp_path, **settings)
        assert done.returncode == 0, done.stderr
        assert change in done.stdout
    engine = new_engine(url)
    require_current_schema(engine)
    engine.dispose()


def test_serve_does_not_start_without_its_database(tmp_path: Path) -> None:
    url = "postgresql+psycopg2://receiver:hemligt@127.0.0.1:1/orders"
    done = run_command("serve", folder=tmp_path, RECEIVER_DATABASE_URL=url, **CREDENTIALS)
    assert done.returncode == 1
    assert "database cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hemligt@" not in done.stderr

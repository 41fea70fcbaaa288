"""A database of the benchmark's own on a PostgreSQL server, dropped at the end."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2

_SCHEMA = Path(__file__).parent / "schema.sql"
_SERVER = "postgresql://postgres@127.0.0.1:5432/test"


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add --postgres; the server may also be named by RECEIVER_TEST_POSTGRES_URL."""
    default = os.environ.get("RECEIVER_TEST_POSTGRES_URL", _SERVER)
    parser.add_argument(
        "--postgres",
        default=default,
        help="any database of a PostgreSQL server whose user may create another; default RECEIVER_TEST_POSTGRES_URL, "
        f"else {_SERVER}",
    )


@contextmanager
def scratch_database(server: str, suffix: str = "") -> Iterator[str]:
    """The URL of a new database with the peers' tables; ends the program with the reason when there can be none.

    Whoever needs two at a time tells them apart by a suffix.
    """
    url = urlsplit(server)._replace(scheme="postgresql")
    name = f"receiver_benchmark_{os.getpid()}{suffix}"
    try:
        _administer(urlunsplit(url), f"CREATE DATABASE {name}")
    except psycopg2.Error as error:
        raise SystemExit(
            f"no database of its own for the benchmark: {error}\n"
            "Name a PostgreSQL server with --postgres or RECEIVER_TEST_POSTGRES_URL."
        ) from None
    scratch = urlunsplit(url._replace(path=f"/{name}"))
    try:
        _administer(scratch, _SCHEMA.read_text("utf-8"))
        yield scratch
    finally:
        _administer(urlunsplit(url), f"DROP DATABASE {name} WITH (FORCE)")


def rows_in(table: str, postgres: str) -> int:
    """How many rows a table of the scratch database has; 0 where it does not exist yet."""
    with closing(psycopg2.connect(postgres)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (table,))
        if cursor.fetchall() == [(False,)]:
            return 0
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchall()[0][0])


def _administer(url: str, *statements: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

"""A database of the benchmark's own on a PostgreSQL server, dropped at the end."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2

_NAME = "receiver_benchmark"
_SCHEMA = Path(__file__).parent / "schema.sql"
_DEFAULT = "postgresql://postgres@127.0.0.1:5432/postgres"


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add --postgres; the server may also be named by RECEIVER_TEST_POSTGRES_URL."""
    default = os.environ.get("RECEIVER_TEST_POSTGRES_URL", _DEFAULT)
    parser.add_argument("--postgres", default=default, help=f"a PostgreSQL server (default {default})")


@contextmanager
def scratch_database(server: str) -> Iterator[str]:
    """The URL of a new database with the peers' tables; `server` is a postgresql:// URL whose user may create one."""
    url = urlsplit(server)._replace(scheme="postgresql")
    _administer(urlunsplit(url), f"DROP DATABASE IF EXISTS {_NAME} WITH (FORCE)", f"CREATE DATABASE {_NAME}")
    scratch = urlunsplit(url._replace(path=f"/{_NAME}"))
    try:
        _administer(scratch, _SCHEMA.read_text("utf-8"))
        yield scratch
    finally:
        _administer(urlunsplit(url), f"DROP DATABASE IF EXISTS {_NAME} WITH (FORCE)")


def _administer(url: str, *statements: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()

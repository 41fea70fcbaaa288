"""Fixtures that every test may ask for: real databases, and the real receiver on each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.databases import Postgres, empty_tables, fresh_database, some_postgres
from tests.doors import Doors, open_doors
from tests.servers import RunningReceiver, running_receiver

DATABASES = ["sqlite", "postgresql"]

StartReceiver = Callable[..., RunningReceiver]


def pytest_configure(config: pytest.Config) -> None:
    """Python 3.11 warns at each import that spyne's old copy of six has no `find_spec`."""
    config.addinivalue_line("filterwarnings", "ignore:_SixMetaPathImporter:ImportWarning")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL server."""
    with some_postgres() as server:
        yield server


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated database, once in SQLite and once in PostgreSQL."""
    with fresh_database(request.param, tmp_path, request) as url:
        yield url


@pytest.fixture(scope="session", params=DATABASES)
def lasting_receiver(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningReceiver]:
    """One receiver on each database for all tests that only post; ask for `receiver`, which empties its tables."""
    folder = tmp_path_factory.mktemp(request.param)
    with fresh_database(request.param, folder, request) as url, running_receiver(folder, url) as receiver:
        yield receiver


@pytest.fixture
def receiver(lasting_receiver: RunningReceiver) -> RunningReceiver:
    """A running receiver that holds no orders, once on SQLite and once on PostgreSQL."""
    empty_tables(lasting_receiver.database_url)
    return lasting_receiver


@pytest.fixture
def start_receiver(tmp_path: Path) -> Iterator[StartReceiver]:
    """Starts receivers with the database and settings of one test's own, and stops them after it."""
    with ExitStack() as stack:

        def start(database_url: str, **settings: str) -> RunningReceiver:
            return stack.enter_context(running_receiver(tmp_path, database_url, **settings))

        yield start


@pytest.fixture(scope="session", params=DATABASES)
def lasting_doors(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """One receiver with open JSON doors on each database; ask for `doors`, which empties its tables."""
    folder = tmp_path_factory.mktemp(request.param)
    with fresh_database(request.param, folder, request) as url, open_doors(folder, url) as doors:
        yield doors


@pytest.fixture
def doors(lasting_doors: Doors) -> Iterator[Doors]:
    """A receiver with open doors that holds no orders; what it was told must not be in its log afterwards."""
    empty_tables(lasting_doors.receiver.database_url)
    yield lasting_doors
    assert "Åsa" not in lasting_doors.receiver.log
    assert "19800101-1234" not in lasting_doors.receiver.log

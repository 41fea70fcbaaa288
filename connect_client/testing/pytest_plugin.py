"""The fixture `fake_connect`: write `pytest_plugins = ["connect_client.testing.pytest_plugin"]` into conftest.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connect_client.testing.fake_connect import FakeConnect


@pytest.fixture
def fake_connect() -> Iterator[FakeConnect]:
    """An OrderService of the test's own, serving until the test is over."""
    with FakeConnect() as fake:
        yield fake

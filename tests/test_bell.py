"""A relay on PostgreSQL hears of a new message at once, on a new connection too."""

from __future__ import annotations

import threading
import time

import pytest

from receiver.storage.bell import Bell, Ear
from receiver.storage.engine import new_engine

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@on_postgresql
def test_the_bell_is_heard_on_every_connection(database_url: str) -> None:
    engine = new_engine(database_url)
    slept: list[float] = []
    ear = Ear(engine, slept.append)
    ear.wait(0.01)

    def ring() -> None:
        with engine.connect() as connection:
            Bell().ring(connection)

    for _ in range(2):
        timer = threading.Timer(0.2, ring)
        timer.start()
        began = time.monotonic()
        ear.wait(20)
        assert time.monotonic() - began < 10
        timer.join()
        ear.close()
        ear.wait(0.01)
    assert slept == []
    ear.close()
    engine.dispose()

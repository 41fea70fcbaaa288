"""A body that drips in is ended when its time is up, and its sender can still be answered."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

import pytest

from receiver.errors import TryAgainLater
from receiver.http.deadline import SLOW_AFTER_S, BodyDeadline


def test_a_dripping_sender_is_cut_off_and_can_still_be_answered() -> None:
    ours, theirs = socket.socketpair()
    stopped = threading.Event()

    def drip() -> None:
        while not stopped.wait(0.05):
            # A local socket tells its peer at once that nobody reads any more; TCP does not.
            with suppress(BrokenPipeError):
                theirs.send(b"x")

    with ours, theirs:
        dripping = threading.Thread(target=drip)
        dripping.start()
        started = time.monotonic()
        with BodyDeadline(0.3, look_every_s=0.05).over(ours):
            while ours.recv(10):
                assert time.monotonic() - started < 5
        stopped.set()
        dripping.join()
        ours.sendall(b"answer")
        assert theirs.recv(10) == b"answer"


def test_a_body_that_is_in_time_is_left_alone() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        deadline = BodyDeadline(0.05, look_every_s=0.01)
        with deadline.over(ours):
            theirs.send(b"x")
            assert ours.recv(1) == b"x"
        time.sleep(0.1)
        theirs.send(b"y")
        assert ours.recv(1) == b"y"


def test_the_newest_slow_body_makes_room() -> None:
    deadline = BodyDeadline(60, slow_places=1, look_every_s=0.01)
    first, sender_of_first = socket.socketpair()
    second, sender_of_second = socket.socketpair()
    with first, sender_of_first, second, sender_of_second, deadline.over(first):
        started = time.monotonic()
        with pytest.raises(TryAgainLater, match="slow"), deadline.over(second):
            assert second.recv(1) == b""
        assert SLOW_AFTER_S <= time.monotonic() - started < 5
        sender_of_first.send(b"x")
        assert first.recv(1) == b"x"


def test_a_body_that_is_slow_already_gets_no_place_where_none_is_free() -> None:
    deadline = BodyDeadline(60, slow_places=1)
    first, second = socket.socketpair()
    with first, second, deadline.over(first, is_slow=True):
        with pytest.raises(TryAgainLater), deadline.over(second, is_slow=True):
            raise AssertionError("both were let in")
        with deadline.over(second):
            pass

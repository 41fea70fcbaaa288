"""An OrderService for the tests of those who call it: a real server that can be told to misbehave."""

from connect_client.testing.behaviours import (
    ADDRESSING,
    DISPATCHER,
    Acts,
    ActsThenDrops,
    Answers,
    AnswersFault,
    Behaviour,
    Drops,
    html,
    throttled,
    unauthorized,
)
from connect_client.testing.fake_connect import FakeConnect, Received

__all__ = [
    "ADDRESSING",
    "DISPATCHER",
    "Acts",
    "ActsThenDrops",
    "Answers",
    "AnswersFault",
    "Behaviour",
    "Drops",
    "FakeConnect",
    "Received",
    "html",
    "throttled",
    "unauthorized",
]

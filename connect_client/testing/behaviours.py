"""What a FakeConnect can be told to do with a request, other than to act on it and say so."""

from __future__ import annotations

from dataclasses import dataclass, field

DISPATCHER = "http://schemas.microsoft.com/net/2005/12/windowscommunicationfoundation/dispatcher"
ADDRESSING = "http://schemas.microsoft.com/ws/2005/05/addressing/none"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


@dataclass(frozen=True, slots=True)
class Acts:
    """Record the message and answer with success, `after_seconds`; the default is at once."""

    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ActsThenDrops:
    """Record the message, then close the connection without a word: the outcome its sender cannot know."""


@dataclass(frozen=True, slots=True)
class Drops:
    """Close the connection without a word and without recording anything."""


@dataclass(frozen=True, slots=True)
class AnswersFault:
    """Refuse with a SOAP fault, by default as a WCF service does that throws FaultException(text).

    `namespace` is that of the code; None is SOAP's own. InternalServiceFault with DISPATCHER is what an unhandled
    exception looks like (wire format, 5.4).
    """

    text: str = "No such order"
    code: str = "Client"
    namespace: str | None = None
    status: int = 500


@dataclass(frozen=True, slots=True)
class Answers:
    """Answer with just this, and record nothing."""

    status: int
    body: bytes = b""
    content_type: str = "text/html"
    headers: dict[str, str] = field(default_factory=dict)


Behaviour = Acts | ActsThenDrops | Drops | AnswersFault | Answers


def unauthorized() -> Answers:
    """A 401, although the credentials are right."""
    return Answers(401, headers={"WWW-Authenticate": 'Basic realm="Norce"'})


def throttled(retry_after_seconds: int = 30) -> Answers:
    """A 429 that asks to wait."""
    return Answers(429, headers={"Retry-After": str(retry_after_seconds)})


def html(status: int = 502) -> Answers:
    """What a proxy says when the service behind it is away."""
    return Answers(status, b"<html><body><h1>Bad Gateway</h1></body></html>")

"""What leaves through WSGI: a status, headers and bytes, complete before the first of them is sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

# WCF rejects a quoted charset, so it stands without quotes (wire format, 4.4).
SOAP_MEDIA_TYPE = "text/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer; Content-Length is added when it is sent."""

    status: str
    body: bytes
    media_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()

    def send(self, start_response: StartResponse, *, request_id: str) -> Iterable[bytes]:
        """Hand the answer to the WSGI server, labelled with the request id for whoever asks about it."""
        start_response(
            self.status,
            [
                ("Content-Type", self.media_type),
                ("Content-Length", str(len(self.body))),
                ("X-Request-Id", request_id),
                *self.headers,
            ],
        )
        return [self.body]


def plain(status: str, text: str, *headers: tuple[str, str]) -> Answer:
    """A one-line answer for someone who is no SOAP caller."""
    return Answer(status, f"{text}\n".encode(), headers=headers)


def soap(status: str, envelope: bytes) -> Answer:
    """An envelope: WCF reads a fault's text only with 500 or 200, so no other status is used."""
    return Answer(status, envelope, SOAP_MEDIA_TYPE)

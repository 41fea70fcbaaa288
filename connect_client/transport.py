"""One call over HTTP: bytes out, a reply in, and every foreign exception translated at this one door.

The translation turns on one fact: whether the first byte of the body was handed to the connection. Before that Norce
cannot have acted; after it nobody knows.
"""

from __future__ import annotations

import http.client
import io
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import requests
import urllib3.exceptions

from connect_client.credentials import Authentication
from connect_client.errors import (
    CallFailed,
    Circumstances,
    ConnectionDropped,
    TimedOut,
    TlsFailed,
    Unreachable,
    UnreadableReply,
)
from connect_client.session import Connection, retry_after_seconds

_CHUNK = 16_384
_FOREIGN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `retry_after_seconds` is None where the reply did not ask to wait."""

    status: int
    content: bytes
    retry_after_seconds: float | None


class Transport:
    """Posts envelopes to one address with one set of credentials; any number of threads may share it."""

    def __init__(
        self, connection: Connection, auth: Authentication, *, headers: Mapping[str, str], max_reply_bytes: int
    ) -> None:
        self._connection = connection
        self._authorizer = auth.authorizer(connection)
        self._headers = {"Content-Type": "text/xml; charset=utf-8", "Accept": "text/xml", **headers}
        self._max_reply_bytes = max_reply_bytes

    def post(self, body: bytes, *, action: str, call: Circumstances) -> Reply:
        """Post an envelope once; a 401 gets a second try where another token can be had.

        Raises NotDelivered if no byte of the body left, OutcomeUnknown if no whole reply came.
        """
        authorization = self._authorizer.header(call)
        headers = {
            **self._headers,
            "SOAPAction": f'"{action}"',
            "X-Request-Id": call.request_id,
            "Authorization": authorization,
        }
        reply = self._once(body, headers, call)
        if reply.status == 401 and (another := self._authorizer.another(authorization, call)):
            reply = self._once(body, headers | {"Authorization": another}, call)
        return reply

    def forget(self) -> None:
        """Close this thread's connection: what is still to come on it must not be taken for the next call's reply."""
        self._connection.session().close()

    def close(self) -> None:
        """Close all connections; a later call opens new ones."""
        self._connection.close()

    def _once(self, body: bytes, headers: Mapping[str, str], call: Circumstances) -> Reply:
        response = self._begun(io.BytesIO(body), headers, call)
        call = replace(call, status=response.status_code)
        with response:
            content = b"".join(self._chunks(response, call))
        self._connection.was_used()
        return Reply(response.status_code, content, retry_after_seconds(response))

    def _begun(self, sent: io.BytesIO, headers: Mapping[str, str], call: Circumstances) -> requests.Response:
        try:
            return self._connection.session().post(
                self._connection.url,
                data=sent,
                headers=dict(headers),
                timeout=self._connection.timeouts.as_pair(),
                allow_redirects=False,
                stream=True,
            )
        except _FOREIGN as error:
            failed = _translated(error, call, has_begun=sent.tell() > 0)
        # Outside the handler: a foreign exception may quote what came, and its frames hold what was sent.
        raise failed

    def _chunks(self, response: requests.Response, call: Circumstances) -> Iterator[bytes]:
        size = 0
        try:
            for chunk in response.iter_content(_CHUNK):
                size += len(chunk)
                if size > self._max_reply_bytes:
                    raise UnreadableReply(f"the reply is longer than {self._max_reply_bytes} bytes", call)
                yield chunk
            return
        except _FOREIGN as error:
            failed = _translated(error, call, has_begun=True)
        raise failed


def _translated(error: Exception, call: Circumstances, *, has_begun: bool) -> CallFailed:
    """Ours for a foreign exception; of it, only the innermost type is told."""
    causes = list(_chain(error))
    name = type(causes[-1]).__name__
    alert = next((each for each in causes if isinstance(each, ssl.SSLError)), None)
    if alert is not None and (not has_begun or _is_about_certificates(alert)):
        return TlsFailed(f"no trusted connection: {alert.reason or type(alert).__name__}", call)
    if not has_begun:
        return Unreachable(f"no connection: {name}", call)
    if isinstance(error, requests.Timeout) or any(isinstance(each, TimeoutError) for each in causes):
        return TimedOut("no reply in time", call)
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return UnreadableReply("the reply's compression is broken", call)
    if any(_is_no_http(each) for each in causes):
        return UnreadableReply(f"the reply is no HTTP: {name}", call)
    return ConnectionDropped(f"the connection ended without a whole reply: {name}", call)


def _is_no_http(error: BaseException) -> bool:
    if isinstance(error, http.client.IncompleteRead | http.client.RemoteDisconnected):
        return isinstance(error, urllib3.exceptions.InvalidChunkLength)
    return isinstance(error, http.client.HTTPException | urllib3.exceptions.InvalidHeader)


def _is_about_certificates(alert: ssl.SSLError) -> bool:
    # TLS 1.3 refuses a client's certificate only after the client has begun to send; what it sent is thrown away.
    return any(word in (alert.reason or "") for word in ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED"))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all it was made from: causes, contexts and the arguments that urllib3 wraps."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]

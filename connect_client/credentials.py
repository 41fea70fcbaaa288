"""How a client proves to Norce who it is: basic authentication, or an OAuth2 token that all its threads share.

Norce lets one address ask for three tokens a minute, so a token is asked for once, kept until 60 seconds before its
end, and after a failure nobody asks again for 20 seconds (Norce's pages on OAuth2 accounts).
"""

from __future__ import annotations

import base64
import re
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import requests

from connect_client.errors import CallFailed, Circumstances, Throttled, TlsFailed, Unauthorized, Unreachable
from connect_client.session import Connection, retry_after_seconds

_RENEW_BEFORE_END_SECONDS = 60
_USUAL_LIFETIME_SECONDS = 3600
# RFC 6749, 5.2.
_CODES = (
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
)
_TOKEN = re.compile(r"[!-~]+")
# What Authlib and we stumble over in an answer that is JSON, but no token.
_NO_TOKEN = (ValueError, KeyError, TypeError, AttributeError)


class Authorizer(Protocol):
    """Gives the Authorization header of a call."""

    def header(self, call: Circumstances) -> str:
        """The header's value for a call. Raises NotDelivered where it cannot be had."""

    def another(self, rejected: str, call: Circumstances) -> str | None:
        """Another value after a 401 to this one; None if there is no other to try."""


class Authentication(Protocol):
    """What a client is given as `auth`."""

    def authorizer(self, connection: Connection) -> Authorizer:
        """The one authorizer that all threads of a client share."""


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """Basic authentication: Norce calls the two application id and secret key."""

    username: str
    password: str = field(repr=False)

    def authorizer(self, connection: Connection) -> Authorizer:  # noqa: ARG002 - needs no connection of its own
        """Raises ValueError for a user name with a colon, which the scheme cannot carry (RFC 7617)."""
        if ":" in self.username:
            raise ValueError("the user name must not hold a colon")
        credentials = f"{self.username}:{self.password}".encode()
        return _Fixed("Basic " + base64.b64encode(credentials).decode())


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """OAuth2 client credentials; `scope` is the environment: playground, stage or prod.

    `token_url` looks like https://SLUG.api-se.norce.tech/identity/1.0/connect/token. Id and secret travel in the body.
    `ask_at_most_every_seconds` keeps within Norce's limit for one client; more clients at one address share the limit.
    """

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str
    ask_at_most_every_seconds: float = field(default=20.0, kw_only=True)

    def authorizer(self, connection: Connection) -> Authorizer:
        """Asks for no token yet."""
        return _Tokens(self, connection.elsewhere(self.token_url))


@dataclass(frozen=True, slots=True)
class _Fixed:
    value: str

    def header(self, call: Circumstances) -> str:  # noqa: ARG002
        return self.value

    def another(self, rejected: str, call: Circumstances) -> str | None:  # noqa: ARG002
        return None


@dataclass(frozen=True, slots=True)
class _Token:
    header: str
    asked_at: float
    renew_at: float


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why there is no token, and until when nobody asks for one."""

    kind: type[CallFailed]
    reason: str
    until: float

    def again(self, call: Circumstances) -> CallFailed:
        return self.kind(self.reason, replace(call, retry_after_seconds=max(self.until - time.monotonic(), 0.0)))


class _Tokens:
    """One token for all threads. Who finds it old renews it under the lock; the others wait and take the new one."""

    def __init__(self, credentials: ClientCredentials, connection: Connection) -> None:
        self._credentials = credentials
        self._connection = connection
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._failed: _Failure | None = None

    def header(self, call: Circumstances) -> str:
        token = self._token
        if token is None or time.monotonic() >= token.renew_at:
            token = self._renewed(call, unless_changed_from=token)
        return token.header

    def another(self, rejected: str, call: Circumstances) -> str | None:
        token = self._token
        if token is not None and token.header == rejected:
            if time.monotonic() - token.asked_at < self._credentials.ask_at_most_every_seconds:
                return None  # a token this fresh is not the problem
            token = self._renewed(call, unless_changed_from=token)
        return token.header if token else None

    def _renewed(self, call: Circumstances, *, unless_changed_from: _Token | None) -> _Token:
        with self._lock:
            if self._token is not None and self._token is not unless_changed_from:
                return self._token
            if self._failed and time.monotonic() < self._failed.until:
                raise self._failed.again(call)
            try:
                self._token = self._asked(call)
            except CallFailed as error:
                wait = max(self._credentials.ask_at_most_every_seconds, error.retry_after_seconds or 0.0)
                self._failed = _Failure(type(error), error.reason, time.monotonic() + wait)
                raise
            self._failed = None
            return self._token

    def _asked(self, call: Circumstances) -> _Token:
        from authlib.common.errors import AuthlibBaseError  # noqa: PLC0415 - slow, and basic authentication needs none

        asked_at = time.monotonic()
        try:
            return _read(self._fetched(), asked_at)
        except AuthlibBaseError as error:
            # Only a code that the standard knows: anything else may quote what was sent.
            code = error.error if error.error in _CODES else "for another reason"
            failed: CallFailed = Unauthorized(f"the identity service gave no token: {code}", call)
        except requests.exceptions.SSLError:
            failed = TlsFailed("the identity service's certificate or protocol is not trusted", call)
        except requests.HTTPError as error:
            failed = _failure_of(error.response, call)
        except (requests.RequestException, *_NO_TOKEN) as error:
            failed = Unreachable(f"the identity service did not answer with a token: {type(error).__name__}", call)
        # Outside the handler: a foreign exception's frames hold the secret.
        raise failed

    def _fetched(self) -> dict[str, Any]:
        from authlib.integrations.requests_client import OAuth2Session  # noqa: PLC0415

        credentials = self._credentials
        session = OAuth2Session(
            credentials.client_id,
            credentials.client_secret,
            scope=credentials.scope,
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 - the name of a method
        )
        with self._connection.prepared(session):
            session.register_compliance_hook("access_token_response", _only_ok)
            answer: dict[str, Any] = session.fetch_token(
                credentials.token_url,
                grant_type="client_credentials",
                timeout=self._connection.timeouts.as_pair(),
                allow_redirects=False,
            )
        return answer


def _read(answer: dict[str, Any], asked_at: float) -> _Token:
    token = answer["access_token"]
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise ValueError
    lifetime = float(answer.get("expires_in") or _USUAL_LIFETIME_SECONDS)
    # A token that lives shorter than the margin is used for half its life, not renewed for every call.
    usable = max(lifetime - _RENEW_BEFORE_END_SECONDS, lifetime / 2)
    return _Token(f"Bearer {token}", asked_at, asked_at + usable)


def _failure_of(response: requests.Response, call: Circumstances) -> CallFailed:
    call = replace(call, retry_after_seconds=retry_after_seconds(response))
    if response.status_code == 429:
        return Throttled("the identity service wants fewer token requests", call)
    return Unreachable(f"the identity service answered HTTP {response.status_code}", call)


def _only_ok(response: requests.Response) -> requests.Response:
    """400 and 401 carry an OAuth error that Authlib reads; anything else but 200 is no answer at all."""
    if response.status_code not in (200, 400, 401):
        raise requests.HTTPError(response=response)
    return response

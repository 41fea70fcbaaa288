"""Where and as whom the commands call: options, or environment variables that begin with CONNECT_.

Secrets come from the environment or from files, never from options: every user of a machine can read the arguments of
a command.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from connect_client.client import ConnectClient
from connect_client.credentials import Authentication, BasicAuth, ClientCredentials
from connect_client.session import Connection, Timeouts, Tls

T = TypeVar("T")

OPTIONS = {
    "url": "Address of the service: https://…/OrderService.svc.",
    "username": "Name for basic authentication; the password is CONNECT_PASSWORD or in a file.",
    "password_file": "File that holds the password.",
    "token_url": "Where OAuth2 tokens are given: https://…/identity/1.0/connect/token.",
    "client_id": "Id of the OAuth2 account; the secret is CONNECT_CLIENT_SECRET or in a file.",
    "client_secret_file": "File that holds the OAuth2 account's secret.",
    "scope": "Environment the token is for: playground, stage or prod.",
    "application_id": "Application to call as, sent as a header.",
    "application_header": "Name of that header.  [default: application-id]",
    "ca_file": "PEM file with the authorities to trust.",
    "certificate_file": "PEM file with the client's own certificate.",
    "key_file": "PEM file with its key.",
    "connect_timeout": f"Seconds until a connection stands.  [default: {Timeouts().connect:g}]",
    "read_timeout": f"Seconds until the whole answer is there.  [default: {Timeouts().read:g}]",
}
SECRETS = ("password", "client_secret")

_BASIC = ("username", "password")
_OAUTH = ("token_url", "client_id", "client_secret", "scope")
_NO_CREDENTIALS = (
    "credentials: set CONNECT_USERNAME and CONNECT_PASSWORD (or CONNECT_PASSWORD_FILE), "
    "or CONNECT_TOKEN_URL, CONNECT_CLIENT_ID, CONNECT_CLIENT_SECRET (or CONNECT_CLIENT_SECRET_FILE) and CONNECT_SCOPE"
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE = re.compile(r"[!-~](?:[ -~]*[!-~])?")


class SettingsInvalid(Exception):
    """The operator's: `problems` lists all of them, with the variables' names and without their values."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True, slots=True)
class Target:
    """What a command calls, and as whom."""

    client: ConnectClient
    url: str
    kind_of_credentials: str


def environment_name(option: str) -> str:
    """The variable that stands for an option."""
    return f"CONNECT_{option.upper()}"


def open_target(options: Mapping[str, str | None]) -> Target:
    """A client from the options, which have the environment in them already, and from the secrets.

    Raises SettingsInvalid with every problem at once. No call is made.
    """
    return _Reading(options).target()


class _Reading:
    """Collects what is wrong instead of stopping at the first."""

    def __init__(self, options: Mapping[str, str | None]) -> None:
        self._given = {name: value for name, value in options.items() if value}
        self._problems: list[str] = []

    def target(self) -> Target:
        for secret in SECRETS:
            self._read_secret(secret)
        timeouts = self._timeouts()
        tls = self._tls()
        auth = self._auth()
        self._check_application()
        self._check_addresses(auth)
        if self._problems or auth is None:
            raise SettingsInvalid(self._problems)
        client = ConnectClient(
            self._given["url"],
            auth=auth,
            timeouts=timeouts,
            tls=tls,
            application_id=self._given.get("application_id"),
            application_header=self._given.get("application_header", "application-id"),
        )
        kind = "basic authentication" if isinstance(auth, BasicAuth) else "OAuth2"
        return Target(client, self._given["url"], kind)

    def _attempt(self, name: str, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except UnicodeError:
            # Its text holds what was read.
            self._problems.append(f"{environment_name(name)}: must be UTF-8")
        except ValueError as error:
            self._problems.append(f"{environment_name(name)}: {error}")
        return None

    def _read_secret(self, secret: str) -> None:
        variable, file = environment_name(secret), self._given.get(f"{secret}_file")
        value = os.environ.get(variable)
        if value and file:
            self._problems.append(f"{variable}: set it or {variable}_FILE, not both")
        if file:
            value = self._attempt(f"{secret}_file", lambda: _text_of(Path(file)))
        if value or file:
            # A file that cannot be read is one problem, not also a missing secret.
            self._given[secret] = value or "unreadable"

    def _timeouts(self) -> Timeouts:
        usual = Timeouts()
        return Timeouts(self._timeout("connect_timeout", usual.connect), self._timeout("read_timeout", usual.read))

    def _timeout(self, name: str, usual: float) -> float:
        text = self._given.get(name)
        return usual if text is None else self._attempt(name, lambda: _seconds(text)) or usual

    def _tls(self) -> Tls | None:
        ca, certificate, key = (self._given.get(name) for name in ("ca_file", "certificate_file", "key_file"))
        found = [
            self._attempt("ca_file", lambda: Tls(ca_file=ca)),
            self._attempt("certificate_file", lambda: Tls(certificate_file=certificate)),
        ]
        if found[1] is not None:
            found.append(self._attempt("key_file", lambda: Tls(certificate_file=certificate, key_file=key)))
        return Tls(ca, certificate, key) if None not in found else None

    def _auth(self) -> Authentication | None:
        basic, oauth = ([name for name in names if name in self._given] for names in (_BASIC, _OAUTH))
        if not basic and not oauth:
            self._problems.append(_NO_CREDENTIALS)
            return None
        if basic and oauth:
            both = ", ".join(map(environment_name, [*basic, *oauth]))
            self._problems.append(f"credentials: set those of one kind only; now there are {both}")
            return None
        missing = [environment_name(name) for name in (_BASIC if basic else _OAUTH) if name not in self._given]
        if missing:
            self._problems += [f"{name}: is required too" for name in missing]
            return None
        values = [self._given[name] for name in (_BASIC if basic else _OAUTH)]
        return BasicAuth(*values) if basic else ClientCredentials(*values)

    def _check_application(self) -> None:
        header, application = self._given.get("application_header", "x"), self._given.get("application_id", "x")
        if not _TOKEN.fullmatch(header):
            self._problems.append("CONNECT_APPLICATION_HEADER: must be the name of a header")
        if not _PRINTABLE.fullmatch(application):
            self._problems.append("CONNECT_APPLICATION_ID: must be printable ASCII, without spaces around it")

    def _check_addresses(self, auth: Authentication | None) -> None:
        """Asks the client's own checks, each by itself, because they stop at the first problem."""
        url = self._given.get("url")
        if url is None:
            self._problems.append("CONNECT_URL: is required")
        else:
            self._attempt("url", lambda: _connection(url))
        if isinstance(auth, BasicAuth):
            self._attempt("username", lambda: auth.authorizer(_connection("https://localhost")))
        if isinstance(auth, ClientCredentials):
            self._attempt("token_url", lambda: _connection(auth.token_url))


def _connection(url: str) -> Connection:
    return Connection(url, timeouts=Timeouts(), tls=Tls(), allow_plain_http=False)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError("must be a number of seconds") from None
    Timeouts(read=value)
    return value


def _text_of(file: Path) -> str:
    """The text of a file without the line end after it; raises ValueError if there is none."""
    try:
        text = file.read_text("utf-8").rstrip("\r\n")
    except OSError as error:
        raise ValueError(error.strerror or "cannot be read") from None
    if not text.strip():
        raise ValueError("the file is empty")
    return text

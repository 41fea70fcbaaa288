"""Posts captured requests the way .NET does, and says what the caller heard.

.NET sends no credentials until a 401 asks for them, repeats that call with them, and from then on sends them at once.
It names no user agent and follows nothing.
"""

from __future__ import annotations

import base64
import os
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests
from requests.structures import CaseInsensitiveDict
from rich.console import Console
from rich.progress import track
from urllib3.exceptions import NewConnectionError
from urllib3.util import SKIP_HEADER

from receiver.cli.captures import Capture
from receiver.cli.output import print_table
from receiver.settings import Settings
from receiver.soap.answer_reader import read_answer
from receiver.soap.names import SERVICE

_CONNECT_S = 5.0
_ANSWER_S = 60.0
"""WCF's default patience with an answer."""

_OURS = {"host", "content-length", "authorization"}
"""Headers of a capture that belong to the call it was captured from."""

_BASIC = re.compile(r"(?:^|,)\s*basic\b", re.IGNORECASE)
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - where to call a receiver that listens there
_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Credentials:
    """Name and password for basic authentication."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of one capture.

    `http_status` is None when no answer came, `status_code` when it was no acknowledgement or refusal; `text` is the
    description, the fault or the reason. `ms` counts from the first byte sent, a 401 included.
    """

    file: str
    http_status: int | None
    status_code: str | None
    text: str | None
    erp_order_no: str | None
    ms: int
    body: bytes

    @property
    def is_ok(self) -> bool:
        """Whether Norce would take the order as delivered."""
        return self.http_status == 200 and self.status_code == "OK"


class Poster:
    """One caller with one connection to one address."""

    def __init__(self, url: str, credentials: Credentials | None) -> None:
        self._url = url
        self._authorization = _basic(credentials) if credentials else None
        self._knows_the_challenge = False
        self._session = requests.Session()
        # The environment would add a proxy, and credentials from a netrc file before anyone asked for them.
        self._session.trust_env = False
        self._session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self._session.headers = CaseInsensitiveDict({"User-Agent": SKIP_HEADER, "Accept-Encoding": SKIP_HEADER})

    def post(self, file: str, capture: Capture) -> Posted:
        """Send one capture and report the answer under the name of its file."""
        started = time.perf_counter()
        try:
            answer = self._call(capture)
        except requests.RequestException as error:
            return Posted(file, None, None, _why(error), None, _ms_since(started), b"")
        ms = _ms_since(started)
        heard = read_answer(answer.content)
        if heard is None:
            return Posted(file, answer.status_code, None, _reason(answer), None, ms, answer.content)
        return Posted(
            file, answer.status_code, heard.status_code, heard.description, heard.erp_order_no, ms, answer.content
        )

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _call(self, capture: Capture) -> requests.Response:
        answer = self._send(capture)
        if answer.status_code != 401 or self._knows_the_challenge or self._authorization is None:
            return answer
        if not _BASIC.search(answer.headers.get("WWW-Authenticate", "")):
            return answer
        self._knows_the_challenge = True
        answer = self._send(capture)
        self._knows_the_challenge = answer.status_code != 401
        return answer

    def _send(self, capture: Capture) -> requests.Response:
        headers = {name: value for name, value in capture.headers if name.lower() not in _OURS}
        if self._knows_the_challenge and self._authorization:
            headers["Authorization"] = self._authorization
        return self._session.post(
            self._url,
            data=capture.body,
            headers=headers,
            timeout=(_CONNECT_S, _ANSWER_S),
            allow_redirects=False,
        )


def post_all(poster: Poster, captures: Sequence[tuple[str, Capture]]) -> list[Posted]:
    """Post one after the other, with a progress bar on standard error where that is a terminal."""
    errors = Console(stderr=True)
    steps: Iterable[tuple[str, Capture]] = track(
        captures, "Posting", console=errors, transient=True, disable=not errors.is_terminal
    )
    return [poster.post(file, capture) for file, capture in steps]


def show_answers(posted: Sequence[Posted]) -> None:
    """Print one row for each answer."""
    columns = ("File", ">HTTP", "Status", "Text", "ERP order", ">ms")
    rows = (
        (Path(row.file).name, row.http_status, row.status_code, row.text, row.erp_order_no, row.ms) for row in posted
    )
    print_table(None, columns, rows, wrapping="Text")


def local_url(settings: Settings) -> str:
    """Where the configured receiver is reached from this machine."""
    host, _, port = settings.bind.rpartition(":")
    return f"http://{_EVERYWHERE.get(host, host)}:{port}/{SERVICE}.svc"


def configured_credentials(settings: Settings) -> Credentials | None:
    """What the configured receiver asks for; None when it runs open."""
    passwords = settings.passwords
    return Credentials(settings.username, passwords[0]) if settings.username and passwords else None


def _basic(credentials: Credentials) -> str:
    # As bytes, for requests itself would encode them as Latin-1.
    pair = f"{credentials.username}:{credentials.password}".encode()
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def _ms_since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


def _why(error: requests.RequestException) -> str:
    """Why no answer came, and whether the order can have arrived all the same."""
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {_CONNECT_S:.0f} s"
    if isinstance(error, requests.Timeout):
        return f"no answer within {_ANSWER_S:.0f} s; the order may have been stored"
    if isinstance(error, requests.exceptions.SSLError):
        return "no connection: TLS failed, or the certificate is not trusted"
    if isinstance(error, ValueError):
        # What requests raises for an address or a header that it does not put on the wire.
        return f"not sent: {type(error).__name__}"
    cause = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(cause, NewConnectionError):
        return "no connection: nobody listens there"
    return "the connection broke before the answer; the order may have been stored"


def _reason(answer: requests.Response) -> str:
    reason = f"{answer.status_code} {answer.reason}"
    if not answer.headers.get("Content-Type", "").startswith("text/plain"):
        return f"{reason}: no answer to an order"
    return f"{reason}: {answer.text.strip()}"[:_LONGEST_REASON]

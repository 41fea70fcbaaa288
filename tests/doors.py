"""Requests to the JSON doors of a running receiver, with the credentials of either."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from requests.auth import HTTPBasicAuth

from tests.servers import RunningReceiver, running_receiver

ERP = ("erp", "hemligt-erp")
READER = ("reader", "hemligt-läsare")
SETTINGS = {
    "RECEIVER_REPORTS_USERNAME": ERP[0],
    "RECEIVER_REPORTS_PASSWORD": ERP[1],
    "RECEIVER_HISTORY_USERNAME": READER[0],
    "RECEIVER_HISTORY_PASSWORD": READER[1],
}


class Doors:
    """A receiver whose doors are open."""

    def __init__(self, receiver: RunningReceiver) -> None:
        self.receiver = receiver
        self.origin = "http://{}:{}".format(*receiver.address)

    def ask(self, path: str, *, auth: tuple[str, str] | None = READER, **options: Any) -> requests.Response:
        """GET."""
        return self._send("GET", path, auth, **options)

    def report(self, document: object, *, auth: tuple[str, str] | None = ERP, **options: Any) -> requests.Response:
        """POST a report: a document, or bytes as they are."""
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        return self._send("POST", "/erp/reports", auth, data=data, headers=headers, **options)

    def send(self, method: str, path: str, *, auth: tuple[str, str] | None = ERP) -> requests.Response:
        """Any method."""
        return self._send(method, path, auth)

    def _send(self, method: str, path: str, auth: tuple[str, str] | None, **options: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            # As bytes: the library would write a password's letters in latin-1.
            if auth is not None:
                session.auth = HTTPBasicAuth(*(part.encode() for part in auth))
            return session.request(method, self.origin + path, timeout=20, allow_redirects=False, **options)


@contextmanager
def open_doors(folder: Path, url: str) -> Iterator[Doors]:
    """A receiver with both doors open."""
    with running_receiver(folder, url, **SETTINGS) as receiver:
        yield Doors(receiver)


def problem(response: requests.Response, status: int) -> dict[str, Any]:
    """The problem document of an answer that must have this status (RFC 9457)."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["instance"] == response.headers["X-Request-Id"]
    assert {"type", "title"} <= document.keys()
    return document


def paths(document: dict[str, Any]) -> set[str]:
    """The paths that a problem document lists."""
    return {each["path"] for each in document["problems"]}

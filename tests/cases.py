"""The cases of `tests/envelopes`: exact bytes, and what must come of them. The format is in the README there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from tests.servers import PASSWORD, SERVICE, USERNAME
from tests.wire import BLANK_LINE, basic, dechunked

FOLDER = Path(__file__).parent / "envelopes"

PERSONAL_DATA = (
    "19800101",
    "Åsa",
    "Öberg",
    "asa@exempel.se",
    "info@exempel.se",
    "Åsögatan",
    "Räksmörgås",
    "Örjan",
    "0701234567",
    "123 45 67",
    "SE556677889901",
)
"""What stands in the captured orders and may show up nowhere but in the database."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What must come of one request; every field is a key of the case's JSON file."""

    about: str = ""
    # How the bytes are sent.
    path: Literal["as_is", "service"] = "service"
    anonymous: bool = False
    recompute_length: bool = False
    half_close: bool = False
    continue_first: bool = False
    # What must have been stored of a valid order.
    order: dict[str, Any] = field(default_factory=dict)
    lines: list[dict[str, Any]] | None = None
    history: list[dict[str, Any]] = field(default_factory=lambda: [{"event": "received", "detail": None}])
    payload_is_kept: Literal[True] = True
    # What must be answered to an invalid request, and kept of it.
    http_status: int = 200
    status_code: str | None = None
    description: list[str] | None = None
    description_contains: list[str] = field(default_factory=list)
    fault_code: str | None = None
    fault_contains: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    refused_receipt: Literal["order", "request"] | None = None
    never_shown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """A request beside its expectation."""

    name: str
    request: bytes
    expected: Expectation

    @property
    def bytes_to_send(self) -> bytes:
        """The request with what differs between test servers put in: path, credentials, length if asked for."""
        head, blank_line, body = self.request.partition(BLANK_LINE)
        first, *headers = head.split(b"\r\n")
        if self.expected.path == "service":
            method, _, version = first.split(b" ")
            first = b" ".join([method, SERVICE.encode(), version])
        if self.expected.recompute_length:
            headers = [header for header in headers if not header.lower().startswith(b"content-length:")]
            headers.append(b"Content-Length: %d" % len(body))
        is_signed = any(header.lower().startswith(b"authorization:") for header in headers)
        if not self.expected.anonymous and not is_signed:
            headers.append(f"Authorization: {basic(USERNAME, PASSWORD)}".encode())
        return b"\r\n".join([first, *headers]) + blank_line + body

    @property
    def body(self) -> bytes:
        """The body that the receiver sees: out of its chunks, or up to its Content-Length."""
        head, _, body = self.request.partition(BLANK_LINE)
        if re.search(rb"^transfer-encoding:\s*chunked", head, re.IGNORECASE | re.MULTILINE):
            return dechunked(body)
        length = re.search(rb"^content-length:\s*([0-9]+)", head, re.IGNORECASE | re.MULTILINE)
        is_as_written = length is not None and not self.expected.recompute_length
        return body[: int(length[1])] if length and is_as_written else body


def cases(kind: Literal["valid", "invalid"]) -> list[Case]:
    """All cases of one folder; a file without its sibling or a key that does not exist is an error."""
    folder = FOLDER / kind
    requests = {file.stem for file in folder.glob("*.http")}
    expectations = {file.stem for file in folder.glob("*.json")}
    if odd := requests ^ expectations:
        raise FileNotFoundError(f"{folder}: without a sibling .http or .json: {sorted(odd)}")
    return [_read(folder, name) for name in sorted(requests)]


def _read(folder: Path, name: str) -> Case:
    written = json.loads((folder / f"{name}.json").read_text("utf-8"))
    known = {each.name for each in fields(Expectation)}
    if unknown := written.keys() - known:
        raise KeyError(f"{folder / name}.json: {sorted(unknown)} are not among {sorted(known)}")
    return Case(name, (folder / f"{name}.http").read_bytes(), Expectation(**written))
